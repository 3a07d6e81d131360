"""Inside gdb: what the printers of packaging/debuggers show, and that what weft.natvis names is there.

   gdb -nx -batch -ex "python folder = '...'" -x check_debuggers.py <program of debugged.cpp>
"""

import html
import re
import xml.etree.ElementTree

import gdb

gdb.execute(f"source {folder}/weft_gdb.py")
failures = []


def check(expression, expected):
    found = gdb.execute(f"print {expression}", to_string=True).split(" = ", 1)[1].strip()
    if found != expected:
        failures.append(f"{expression}: '{found}', expected '{expected}'")


gdb.execute("set startup-with-shell off")
gdb.execute("break look")
gdb.execute("run")
gdb.execute("up")

check("shape", "(28, 28)")
check("vector", "(784,)")
check("scalar", "()")
check("tensor", "Tensor<float> (2, 3) = {values = {{0, 1, 2}, {3, 4, 5.5}}}")
check("empty", "Tensor<double> (0,)")
check("large", "Tensor<unsigned char> (100, 28, 28, 3) = {first 200 of 235200 = '\\000' <repeats 199 times>}")
check("view", "TensorView<const float> (3,) = {values = {3, 4, 5.5}}")
check("model", "Sequential, built for (3, 4), 77 parameters = "
      "{flatten = Flatten (12,), dense = Dense (5,), dense_1 = Dense (2,)}")
check("unbuilt", "Sequential, not built = {[0] = Flatten, [1] = Dense, [2] = Dense}")
check("residual", "Model, built for (6,), 42 parameters = {inner = Dense (6,), add = Add (6,)}")

# Memory that is no Shape yet is shown as such, and is no error.
gdb.execute("set var shape.rank_ = 77")
check("shape", "Shape, not made yet or overwritten (rank 77)")

# Expressions of weft.natvis, on an object each; what is _Ptr there is _M_ptr in libstdc++.
objects = {"Shape": "vector", "Tensor": "tensor", "TensorView": "view", "Model": "model",
           "LayerDeclaration": "declaration"}
space = "{http://schemas.microsoft.com/vstudio/debugger/natvis/2010}"
tried = 0
for kind in xml.etree.ElementTree.parse(f"{folder}/weft.natvis").getroot():
    name = re.match(r"weft::(\w+)", kind.get("Name"))[1]
    for node in kind.iter():
        text = node.text or ""
        shown = re.findall(r"\{([^{}]+)\}", text) if node.tag == space + "DisplayString" else [text]
        for expression in shown + [node.get("Condition", "")]:
            if not re.search(r"\w_\b", expression):
                continue
            expression = html.unescape(expression).replace("$i", "0").replace("$T1", "float")
            expression = expression.replace("_Ptr", "_M_ptr")
            expression = re.sub(r"(?<![.>\w])([a-z]\w*_)\b", objects[name] + r".\1", expression)
            try:
                gdb.parse_and_eval(expression).fetch_lazy()
                tried += 1
            except gdb.error as error:
                failures.append(f"weft.natvis: {expression}: {error}")
if tried < 45:
    failures.append(f"weft.natvis: only {tried} expressions are found")

print("\n".join(failures) or f"all as expected; {tried} expressions of weft.natvis")
gdb.execute("kill")
gdb.execute(f"quit {len(failures)}")
