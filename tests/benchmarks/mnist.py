"""Handwritten digits: the network 784-32-10, trained on all 60,000 images from a loss that is written with scalars.

    python tests/benchmarks/mnist.py notes [--epochs N]    the recipe of lecture notes, compared with NumPy by hand
    python tests/benchmarks/mnist.py today [--epochs N]    a recipe of today

The notes' recipe: sigmoid, Σ (y − a)², raw pixels from 0 to 255, normal initial weights, batches of 256, η = 0.3, 300 epochs.
Raw pixels saturate the sigmoids, which makes the run chaotic: a difference in the last bit grows tenfold with every step or
two, even between two NumPy programs, so the errors of two runs agree in nine digits for a dozen steps and in five for twenty.
Therefore the first steps are compared one by one, each from the same parameters; then the two run on by themselves, in turns
and on the same batches, and their accuracies are compared.

Today's recipe: pixels from 0 to 1, ReLU, cross-entropy, Adam with a rate that falls along a cosine, 20 epochs.

The four files of the images are read from the folder that the environment variable MNIST names, or else from
``../shared/data/mnist`` beside the project.
"""

from __future__ import annotations

import os

# Set first: NumPy reads these when it is imported; it may use everything that the processor has.
os.environ.update(dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"))
os.environ.pop("OPENBLAS_CORETYPE", None)

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs without installing the project

import numpy as np
from workloads import Array, layer_places, sigmoids_by_hand

from autograd import Value, compile
from nn import MLP
from nn.data import mnist
from nn.losses import cross_entropy, squared_error
from nn.optim import Adam, cosine
from nn.progress import bar_over

ROOT = Path(__file__).resolve().parents[2]
SIZE, ETA = 256, 0.3
COMPARED = 20  # steps
SIZES = (784, 32, 10)


class Images(NamedTuple):
    """Images, one per row, and their digits."""

    X: Array
    y: Array

    @property
    def targets(self) -> Array:
        """The digits as one-hot rows."""
        return np.eye(10)[self.y]


class Outcome(NamedTuple):
    """The outcome of a training.

    Attributes:
        accuracy: of the compiled network, on the test images.
        seconds: of processor time that its steps took.
        by_hand: the accuracy and the seconds of NumPy by hand, if it took part.
        apart: the largest difference between the two after one of the first steps, relative to the largest change in it.
    """

    accuracy: float
    seconds: float
    by_hand: tuple[float, float] | None = None
    apart: float = 0.0

    def __str__(self) -> str:
        lines = [f"test accuracy {self.accuracy:.4f} after {self.seconds:.1f} s of steps"]
        if self.by_hand is not None:
            accuracy, seconds = self.by_hand
            lines.append(f"NumPy by hand {accuracy:.4f} after {seconds:.1f} s: ours takes {self.seconds / seconds:.2f} of that")
            lines.append(f"each of the first {COMPARED} steps: {self.apart:.1e} apart, relative to the largest change")
        return "\n".join(lines)


def images() -> tuple[Images, Images]:
    """Return the images to train on, and those to test on."""
    folder = Path(os.environ.get("MNIST") or ROOT.parent / "shared" / "data" / "mnist")
    return Images(*mnist(folder)), Images(*mnist(folder, "test"))


def notes(train: Images, test: Images, epochs: int = 300) -> Outcome:
    """Train as the notes do, with compiled scalars and with NumPy by hand, which take turns step by step."""
    rng, model = np.random.RandomState(0), MLP(SIZES[0], SIZES[1:], activation="sigmoid", output="sigmoid")
    for layer in model.layers:
        weights, biases = rng.randn(len(layer.neurons), layer.n_inputs), rng.randn(len(layer.neurons))
        for neuron, row, bias in zip(layer.neurons, weights.tolist(), biases.tolist(), strict=True):
            neuron.load_state_dict({**{f"w{i}": w for i, w in enumerate(row)}, "b": bias})

    def loss(x: Any, t: Any) -> Value:
        error: Value = squared_error(model(x), t)
        return error

    program, places = compile(loss, model.parameters(), example=(train.X[0], train.targets[0])), layer_places(model)
    arrays = [program.parameters[at] for at in places]

    def learn_compiled(X: Array, t: Array) -> float:
        error, gradient = program.gradient(X, t, reduce="sum")
        program.parameters -= ETA / SIZE * gradient
        return error

    def learn_by_hand(X: Array, t: Array) -> float:
        with np.errstate(over="ignore"):
            error, gradients = sigmoids_by_hand(arrays, X, t)
        for array, change in zip(arrays, gradients, strict=True):
            array -= ETA * len(X) / SIZE * change
        return error * len(X)

    learners = [learn_compiled, learn_by_hand]
    T, seconds, apart, steps = train.targets, dict.fromkeys(learners, 0.0), 0.0, 0
    bar = bar_over(True, epochs)
    for _ in range(epochs):
        losses = 0.0
        for chosen in batches(rng, len(train.y)):
            X, t, before = train.X[chosen].astype(float), T[chosen], program.parameters.copy()
            for learn in learners[:: -1 if steps % 2 else 1]:  # the second finds the batch in the cache
                start = time.process_time()
                error = learn(X, t)
                seconds[learn] += time.process_time() - start
            losses, steps = losses + error, steps + 1
            if steps <= COMPARED:
                largest = np.abs(program.parameters - before).max()
                for at, array in zip(places, arrays, strict=True):
                    apart = max(apart, np.abs(program.parameters[at] - array).max() / largest)
                    array[...] = program.parameters[at]
        bar.set_postfix_str(f"error {losses / SIZE / max(len(train.y) // SIZE, 1):.4f}", refresh=False)
        bar.update()
    bar.close()
    program.push()
    ours = accuracy(model, test)
    for at, array in zip(places, arrays, strict=True):
        program.parameters[at] = array
    program.push()
    return Outcome(ours, seconds[learn_compiled], (accuracy(model, test), seconds[learn_by_hand]), apart)


def batches(rng: np.random.RandomState, n: int) -> Iterator[Array]:
    """Return the batches of an epoch as in the notes: only whole ones, the last of which also gets the remainder."""
    order = np.arange(n)
    rng.shuffle(order)
    starts = range(0, n - n % SIZE, SIZE) if n >= SIZE else range(1)
    return (order[start:end] for start, end in zip(starts, [*starts[1:], n], strict=True))


def today(train: Images, test: Images, epochs: int = 20, size: int = 128) -> Outcome:
    """Train by the recipe of today."""
    rng, model = np.random.default_rng(0), MLP(SIZES[0], SIZES[1:], activation="relu", init="he", seed=0)

    def loss(x: Any, t: Any) -> Value:
        error: Value = cross_entropy(model(x), t)
        return error

    n = len(train.y)
    X, T, seconds = train.X / 255, train.targets, 0.0
    program = compile(loss, model.parameters(), example=(X[0], T[0]))
    optimizer = Adam(lr=cosine(0.005, epochs * -(-n // size)))
    bar = bar_over(True, epochs)
    for _ in range(epochs):
        order, losses = rng.permutation(n), 0.0
        for chosen in (order[i : i + size] for i in range(0, n, size)):
            batch = X[chosen], T[chosen]
            start = time.process_time()
            error, gradient = program.gradient(*batch)
            optimizer.step_array(program.parameters, gradient)
            seconds += time.process_time() - start
            losses += error * len(chosen)
        bar.set_postfix_str(f"loss {losses / n:.4f}", refresh=False)
        bar.update()
    bar.close()
    program.push()
    return Outcome(accuracy(model, Images(test.X / 255, test.y)), seconds)


def accuracy(model: MLP, test: Images) -> float:
    """Return the share of images whose digit a network recognises."""
    outputs = compile(model, model.parameters())(test.X)
    return float((outputs.argmax(axis=1) == test.y).mean())


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train, and print the outcome."""
    parser = argparse.ArgumentParser(description="Handwritten digits, trained from a loss that is written with scalars.")
    parser.add_argument("recipe", choices=["notes", "today"])
    parser.add_argument("--epochs", type=int, help="by default 300 as in the notes, or 20")
    given = parser.parse_args(arguments)
    train = {"notes": notes, "today": today}[given.recipe]
    print(train(*images(), **({} if given.epochs is None else {"epochs": given.epochs})))


if __name__ == "__main__":
    main()
