"""What the bot costs, beside a floor that keeps nothing and checks nothing: `python -m tests.bench`."""
