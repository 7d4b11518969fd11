"""Whether customers and what models say of them are still as when the models that score were put in use."""
