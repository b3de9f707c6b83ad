"""TypeScript types of what the admin API answers, made of its Structs.

python frontend/generate_types.py          writes src/api/types.ts
python frontend/generate_types.py --check  1 if the file is not what would be written
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, inspect

from orchestrator.admin import answers, errors, shapes

TARGET = Path(__file__).parent / "src/api/types.ts"
HEADER = "// Made by generate_types.py from the Structs of the admin API; not to be edited.\n"


def generate() -> str:
    """The whole file, in the order of definition."""
    structs = [member for module in (errors, answers, shapes) for member in vars(module).values() if _is_defined_in(member, module)]
    infos = {struct.__name__: msgspec.inspect.type_info(struct) for struct in structs}
    return HEADER + "".join(f"\n{''.join(_interface(name, info))}" for name, info in infos.items())


def _is_defined_in(member: Any, module: Any) -> bool:
    return isinstance(member, type) and issubclass(member, Struct) and member.__module__ == module.__name__


def _interface(name: str, info: Any) -> Iterator[str]:
    yield f"export interface {name} {{\n"
    for field in info.fields:
        optional = "?" if info.cls.__struct_config__.omit_defaults and not field.required else ""
        yield f"  {field.encode_name}{optional}: {_type(field.type)}\n"
    yield "}\n"


def _type(info: Any) -> str:
    match info:
        case inspect.StrType():
            return "string"
        case inspect.BoolType():
            return "boolean"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.NoneType():
            return "null"
        case inspect.AnyType():
            return "unknown"
        case inspect.LiteralType(values=values):
            return " | ".join(f"'{value}'" for value in sorted(values))
        case inspect.EnumType(cls=enum):
            return " | ".join(f"'{member.value}'" for member in enum)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            inner = _type(item)
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case inspect.DictType(value_type=value):
            return f"Record<string, {_type(value)}>"
        case inspect.UnionType(types=types):
            return " | ".join(_type(one) for one in types)
        case inspect.StructType(cls=cls):
            return cls.__name__
    raise TypeError(f"no TypeScript for {info}")


def main(arguments: list[str]) -> int:
    made = generate()
    if "--check" not in arguments:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(made, "utf-8")
        return 0
    return 0 if TARGET.is_file() and TARGET.read_text("utf-8") == made else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
