"""Why a tag says what it says of a customer: the rows of which drop, or the model, its figures and its reasons."""
