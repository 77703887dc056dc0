"""What people do beside talking to the model: their orders by command, button and form, and their Home tab."""
