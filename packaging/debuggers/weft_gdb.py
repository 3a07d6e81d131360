"""Shows weft's types in gdb as what they are: Shape, Tensor, TensorView, Model, Sequential.

In gdb, or in ~/.gdbinit:   source <prefix>/share/weft/weft_gdb.py

    (gdb) print shape            (28, 28)
    (gdb) print tensor           Tensor<float> (2, 3) = {{0, 1, 2}, {3, 4, 5}}
    (gdb) print model            Sequential, built for (28, 28) = {flatten = Flatten (784,), ...}

gdb's own settings limit what is printed: `set print elements 20`, `set print repeats 3`. Models are read
through the printers of the standard library, which libstdc++ and libc++ bring.
"""

import re

import gdb
import gdb.printing

MAX_ARRAY_BYTES = 65536  # gdb's own max-value-size, up to which it reads a value


def bases(value):
    """The object, then its base classes, from the most derived one on."""
    while True:
        yield value
        fields = [f for f in value.type.strip_typedefs().fields() if f.is_base_class]
        if not fields:
            return
        value = value.cast(fields[0].type)


def member(value, name):
    for part in bases(value):
        if any(f.name == name for f in part.type.strip_typedefs().fields()):
            return part[name]
    raise KeyError(name)


def extents(shape):
    rank = int(shape["rank_"])
    if not 0 <= rank <= 8:
        raise ValueError(f"rank {rank}")
    index = shape["rank_"].type
    first = shape["extents_"].address.cast(index.pointer())
    return [int(first[axis]) for axis in range(rank)]


def tuple_text(numbers):
    return f"({numbers[0]},)" if len(numbers) == 1 else "(" + ", ".join(map(str, numbers)) + ")"


def shape_text(shape):
    return tuple_text(extents(shape))


def elements(container):
    """What the standard library's own printer says is in a container or a pointer."""
    printer = gdb.default_visualizer(container)
    if printer is None or not hasattr(printer, "children"):
        raise RuntimeError("needs the standard library's printers for gdb")
    return [value for _, value in printer.children()]


def target(shared):
    """The pointer of a std::shared_ptr; None of an empty one."""
    found = elements(shared)
    return found[0] if found and int(found[0]) else None


def through(pointer, name):
    """A member of *pointer, without asking for the dynamic type of that, which gdb may not know."""
    field = next(f for f in pointer.type.target().strip_typedefs().fields() if f.name == name)
    place = gdb.Value(int(pointer) + field.bitpos // 8)
    return place.cast(field.type.pointer()).dereference()


def text(string):
    return string.format_string().strip('"')


class ShapePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        try:
            return shape_text(self.value)
        except ValueError as error:
            return f"Shape, not made yet or overwritten ({error})"


class TensorPrinter:
    def __init__(self, value):
        self.value = value

    def data(self):
        """The first element, typed; None where it is on another device, or nowhere."""
        scalar = self.value.type.strip_typedefs().template_argument(0)
        fields = {f.name for f in self.value.type.strip_typedefs().fields()}
        if "memory_" in fields:
            memory = self.value["memory_"]
            if memory.type.strip_typedefs().name != "weft::Buffer":
                return None
            pointer = memory["data_"]
        else:
            pointer = self.value["data_"]
        return pointer.cast(scalar.pointer()) if int(pointer) else None

    def to_string(self):
        kind = self.value.type.strip_typedefs()
        name = kind.name.split("<")[0].split("::")[-1]
        try:
            return f"{name}<{kind.template_argument(0)}> {shape_text(self.value['shape_'])}"
        except ValueError as error:
            return f"{name}, not made yet or overwritten ({error})"

    def children(self):
        try:
            shape = extents(self.value["shape_"])
            data = self.data()
        except ValueError:
            return
        if data is None or 0 in shape:
            return
        kind = data.type.target()
        count = 1
        for extent in shape:
            count *= extent
        if count * kind.sizeof > MAX_ARRAY_BYTES:
            shape = [min(200, MAX_ARRAY_BYTES // kind.sizeof)]
            yield f"first {shape[0]} of {count}", data.cast(kind.array(shape[0] - 1).pointer()).dereference()
            return
        for extent in reversed(shape):
            kind = kind.array(extent - 1)
        yield "values", data.cast(kind.pointer()).dereference()


class ModelPrinter:
    def __init__(self, value):
        self.value = value
        self.built = target(member(value, "built_"))

    def to_string(self):
        kind = self.value.type.strip_typedefs().name.split("<")[0].split("::")[-1]
        if self.built is None:
            return f"{kind}, not built"
        shapes = ", ".join(shape_text(s) for s in elements(self.built["input_shapes"]))
        infos = elements(self.built["list"]["parameters_"])
        count = sum(int(info["slot"]["shape"]["size_"]) for info in infos)
        return f"{kind}, built for {shapes}, {count} parameters"

    def children(self):
        graph = member(self.value, "graph_")
        types = [text(through(target(layer["declared_"]), "type")) for layer in elements(graph["layers"])]
        if self.built is None:
            for place, kind in enumerate(types):
                yield f"[{place}]", kind
            return
        names = [text(name) for name in elements(self.built["names"])]
        for node in elements(self.built["nodes"]):
            layer = int(node["layer"])
            yield names[layer], f"{types[layer]} {shape_text(node['output_shape'])}"


PRINTERS = {
    "Shape": ShapePrinter,
    "Tensor": TensorPrinter,
    "TensorView": TensorPrinter,
    "Model": ModelPrinter,
    "Sequential": ModelPrinter,
}
PATTERN = re.compile(r"^weft::(?:\w+::)?(\w+)(?:<.*>)?$")


class Printers:
    """What gdb asks for the printer of a value; its name is that in `info pretty-printer`."""

    name = "weft"
    enabled = True

    def __call__(self, value):
        match = PATTERN.match(value.type.strip_typedefs().unqualified().name or "")
        printer = PRINTERS.get(match[1]) if match else None
        return printer(value) if printer else None


gdb.printing.register_pretty_printer(gdb.current_objfile(), Printers(), replace=True)
