"""zerosum in Python: what `import zerosum as zs` offers. The commands call the same functions, so that both do the same.

run = zs.train("mnist", minutes=5)                                 data by name or path, as on the command line
run = zs.train(x, generator=G, discriminator=D, samples=100_000)   a tensor, and a person's own modules
x = zs.load("runs/mnist-1").sample(64)
scores = zs.evaluate(run)                                          a list that prints as a table
zs.inspect("photos/")                                              what would be trained on, and what would be skipped
"""

from zerosum.api.data import inspect, open_data
from zerosum.api.evaluation import evaluate
from zerosum.api.training import load, resume, train

__all__ = ["evaluate", "inspect", "load", "open_data", "resume", "train"]
