"""Stories: this comes in, that goes out."""
