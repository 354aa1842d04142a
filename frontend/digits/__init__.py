"""5,000 handwritten digits of MNIST as a folder to train on (``python -m frontend.digits``)."""
