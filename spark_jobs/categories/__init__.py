"""Categories that a customer has never bought and may start next, ranked, each with a reason that can be counted."""
