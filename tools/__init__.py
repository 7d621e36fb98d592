"""What is run on the checkout itself. Nothing of it is deployed or installed."""
