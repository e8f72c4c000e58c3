"""A small lesson that keeps every rule, for the tests to break in one place at a time."""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

# Stand-ins for the package's functions: these tests are about the tests of notebooks.
SETUP = """\
from IPython.display import Image, display
from matplotlib.figure import Figure
def exercise(name): return lambda answer: print(name)
predict = quiz = print
"""
DRAW = """\
def view(height):
    figure = Figure(figsize=(4, 2), dpi=100)
    figure.subplots().bar(["A", "B"], [0.642, height])
    figure.savefig("bars.png")
    return Image("bars.png")
def explore(view, question, height):
    html = f'<img alt="bars up to {height[1]}">'
    display(view(height[0]))
    display({"text/html": html, "text/plain": ""}, raw=True)
"""
MARKDOWN_BEFORE = [
    "# 01 · A sample\n\n**You will see that a sample can be tested.**",
    "## You will be able to\n\n- read it\n- **change** it\n- test it\n\n"
    "**You need:** nothing but Python 3. **Time:** about 30 minutes.",
]
ASKED = "At which height are both bars equal?"
QUESTION = f"**Question.** {ASKED}"
ANSWER = "<details><summary>Answer</summary>\n\nAt 0.642, the height of the first.\n\n</details>"


def sample() -> NotebookNode:
    """The lesson, not yet run."""

    def text(source):
        return new_markdown_cell(source)

    def code(source):
        return new_code_cell(source)

    def exercise(name):
        return code(f'@exercise("{name}")\ndef answer(x):\n    ...')

    def widget(source):
        return new_code_cell(source, metadata={"jupyter": {"source_hidden": True}})

    cells = [
        *map(text, MARKDOWN_BEFORE),
        code(SETUP),
        text("## Predict first"),
        code('class Guess:\n    def reveal(self, answer):\n        print("It is", answer)'),
        code('predict("sample.guess")\nguess = Guess()'),
        text("## Both bars are drawn"),
        code("score = 0.642\nprint(score)"),
        code('guess.reveal("B")'),
        code(DRAW),
        text(QUESTION),
        widget(f"explore(view, {ASKED!r}, height=(0.1, 0.9))"),
        text(ANSWER),
        text("### A second look\n\n" + QUESTION),
        widget(f"explore(view, {ASKED!r}, height=(0.5, 0.9))"),
        text(ANSWER),
        text(
            "## Numbers are bound\n\nA score of **0.642**<!-- = score --> is "
            "64.2 %<!-- = f'{score:.1%}'.replace('%', ' %') -->, "
            "as section 14.3 of 1999 says; \N{MINUS SIGN}0.64"
            "<!-- = f'{-score:.2f}' --> is not, nor is $x = 17$ or `18`."
        ),
        code("score = 0.642 + 0\nscore"),
        text(
            "## You try\n\n> **One thing is so.** What the article says "
            "([C01](../docs/errata.md#c01)): another."
        ),
        exercise("sample.one"),
        exercise("sample.two"),
        text("## Check yourself\n\nThree questions."),
        code('quiz("sample.recap")'),
        text("## Recap\n\nSo it is."),
        text("## References\n\n- Nobody (1999). *Nothing*, 42, pages 100 to 117."),
        text("Next: [here again](01_sample.ipynb)"),
    ]
    return new_notebook(cells=cells)
