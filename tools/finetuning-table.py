#!/usr/bin/env python3
"""Compress a network in the Frobenius and in the Sigma norm, fine-tune both, and write the table of accuracies.

    tools/finetuning-table.py NETWORK.onnx --images DATA --test DATA [--limit N] [--preprocessing FILE] [--rates 1.64,2.6]
        [--epochs 10] [--learning-rates 1e-4,3e-4,1e-3,3e-3] [--output FOLDER] [--table]

Both norms get the ranks of the paper's recipe (VBMF, at the ratio that gives the rate of parameters), from the images --images
(the first --limit of them for Sigma; all, with their labels, to fine-tune on). The learning rate is the best of those named on a tenth of --images
that nothing is learned from; --test is looked at once, for the table. What has been done is kept in FOLDER
(.build/finetuning) and not done again; --table only prints what is there.
"""

import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHODS = {"Frobenius": "tucker2-als", "Sigma": "tucker2-als-sigma"}


class Table:
    def __init__(self, arguments):
        self.a = arguments
        self.folder = pathlib.Path(arguments.output) / pathlib.Path(arguments.network).stem
        self.folder.mkdir(parents=True, exist_ok=True)
        self.preprocessing = ["--preprocessing", arguments.preprocessing] if arguments.preprocessing else []

    def martlet(self, *command):
        result = subprocess.run([self.a.martlet, *map(str, command), "--json"], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"martlet {' '.join(map(str, command))}\n{result.stderr}")
        return json.loads(result.stdout)

    def evaluate(self, network, *flags):
        result = self.martlet("evaluate", network, self.a.test, *flags)
        return {key: result[key] for key in ["top1", "images"]}

    def row(self, norm, rate):
        path = self.folder / f"{norm}-{rate}.json"
        if path.exists() or self.a.table:
            return json.loads(path.read_text()) if path.exists() else None
        small, tuned = path.with_suffix(".onnx"), path.with_suffix(".tuned.onnx")
        limit = ["--limit", self.a.limit] if self.a.limit else []
        report = self.martlet("compress", self.a.network, "--images", self.a.images, *limit, *self.preprocessing,
                              "--recipe", "paper", "--method", METHODS[norm], "--budget", f"params={1 / rate:.4f}", "-o", small)
        learned = self.martlet("finetune", small, self.a.images, "--learning-rates", self.a.learning_rates,
                               "--epochs", self.a.epochs, "-o", tuned)
        result = {
            "rate": report["parameters_before"] / report["parameters_after"],
            "before": self.evaluate(small)["top1"], "after": self.evaluate(tuned)["top1"], "finetuning": learned,
        }
        part = path.with_suffix(".part")
        part.write_text(json.dumps(result))
        part.replace(path)
        return result

    def print(self):
        original = self.evaluate(self.a.network, *self.preprocessing)
        print(f"Original: {100 * original['top1']:.2f} % of {original['images']} images.\n")
        print("| rate | norm | top-1 | after fine-tuning |")
        print("|---|---|---|---|")
        for rate in map(float, self.a.rates.split(",")):
            for norm in METHODS:
                if row := self.row(norm, rate):
                    print(f"| {row['rate']:.2f}x | {norm} | {100 * row['before']:.2f} % | {100 * row['after']:.2f} % |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("--images", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--preprocessing")
    parser.add_argument("--rates", default="1.64,2.6")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--learning-rates", default="1e-4,3e-4,1e-3,3e-3")
    parser.add_argument("--output", default=ROOT / ".build" / "finetuning")
    parser.add_argument("--martlet", default=str(ROOT / ".build" / "release" / "martlet"))
    parser.add_argument("--table", action="store_true")
    Table(parser.parse_args()).print()


if __name__ == "__main__":
    main()
