# SPDX-License-Identifier: Apache-2.0
"""What was measured: a row each, printed as a Markdown table."""

import statistics

median = statistics.median
MB = 1e6


class Table:
    def __init__(self):
        self.rows = []
        self.troubles = 0

    def add(self, what, target, value, verdict, how=""):
        self.rows.append((what, target, value, verdict, how))

    def at_least(self, what, least, value, how=""):
        """A ratio that should not be less."""
        self.add(what, f">= {least:.2f}", f"{value:.2f}", "pass" if round(value, 2) >= least else "short", how)

    def at_most(self, what, most, value, how="", unit=" x", digits=2):
        self.add(what, f"<= {most:.{digits}f}{unit}", f"{value:.{digits}f}{unit}",
                 "pass" if round(value, digits) <= most else "short", how)

    def report(self, what, value, how=""):
        """A figure that nothing is asked of."""
        self.add(what, "", value, "", how)

    def trouble(self, what, why):
        self.troubles += 1
        self.add(what, "", "", "not measured", why.replace("\n", " ").replace("|", "/")[:300])

    def print(self):
        heads = ("what", "target", "value", "", "measured")
        rows = [heads] + self.rows
        widths = [max(len(row[column]) for row in rows) for column in range(len(heads) - 1)]
        for number, row in enumerate(rows):
            print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " | " + row[-1] + " |")
            if number == 0:
                print("|" + "|".join("-" * (width + 2) for width in widths) + "|---|")


def spread(values, unit=1.0, digits=0):
    """The median with the least and the most of some figures."""
    return f"{median(values) / unit:.{digits}f} ({min(values) / unit:.{digits}f} to {max(values) / unit:.{digits}f})"
