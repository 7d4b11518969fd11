"""What customers declared and what may be inferred of the others, kept apart; and behavioural lifestyle factors."""
