"""Dataclasses with slots whose methods are made when they are first used. Layer: floor.

`dataclasses.dataclass` writes the source of six methods for each class and compiles it, half a millisecond each time.
There are some hundreds of such classes here, and one run of an application uses few of them, so an import took longest
for this. Here the class is there at once, with its slots; the first use of one of its methods, or a look at its
fields, has the standard library make them all. From then on nothing of this module is in the way, and the class is
what `dataclasses.dataclass` would have made of it, but for one thing: a frozen one is filled in less time (`unfrozen`).
Type checkers are told that it is `dataclasses.dataclass`.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass  # for type checkers; what there is when it runs is at the end
from typing import TYPE_CHECKING, Any, ClassVar, Final, get_origin

__all__ = ["dataclass", "unfrozen"]

_MADE: Final = (
    "__dataclass_fields__", "__dataclass_params__", "__match_args__", "__init__",
    *(("__replace__",) if sys.version_info >= (3, 13) else ()),
)  # fmt: skip
"""What each class gets, whatever it asks for; the last for `copy.replace`."""
_COMPARISONS: Final = ("__lt__", "__le__", "__gt__", "__ge__")
_OF_NO_SLOTS: Final = ("__dict__", "__weakref__")
"""Descriptors of a class without slots; one with them must not inherit its look."""


class _Late:
    """Stands in a class for something that is still to be made, and has all of it made when anybody looks. Any thread.

    Args:
        name: of what is to be made.
        body: the class's own, as it was written: defaults included.
        options: for `dataclasses.dataclass`.
    """

    __slots__ = ("body", "cls", "name", "options")

    def __init__(self, name: str, body: dict[str, Any], options: dict[str, bool]) -> None:
        self.name = name
        self.body = body
        self.options = options
        self.cls: type | None = None

    def __get__(self, instance: object, owner: type) -> Any:
        cls = self.cls
        assert cls is not None  # set before anybody has the class
        if vars(cls)[self.name] is self:
            _make(cls, self.body, self.options)
        # Not getattr: a class that derives from this one may have its own, and `super()` asks for this one's.
        made = vars(cls)[self.name]
        bind = getattr(type(made), "__get__", None)
        return made if bind is None else bind(made, instance, owner)


def _make(cls: type, body: dict[str, Any], options: dict[str, bool]) -> None:
    """Have the standard library make everything, of a class that lives no longer than this.

    No lock: two threads that come at once make equal things, of a class each, and it does not matter whose stay. A lock
    would be held while a finaliser may run, and that one may want anything.
    """
    # Without slots: the methods work on any object that has the fields.
    twin: Any = dataclasses.dataclass(**options)(type(cls)(cls.__name__, cls.__bases__, dict(body)))
    made = dict(vars(twin))
    if hasattr(params := made["__dataclass_params__"], "slots"):  # since Python 3.12
        params.slots = True
    if options["frozen"] and "__init__" not in body:
        made["__init__"] = _filling(cls, made["__init__"], dataclasses.fields(twin))
    for name, value in list(vars(cls).items()):
        if isinstance(value, _Late):
            setattr(cls, name, made[name])


def unfrozen(cls: type) -> type[Any]:
    """Return the class of instances of a frozen dataclass ``cls`` that are still to be filled.

    A frozen class refuses every assignment, so its own ``__init__`` has to go round that once per field, which takes
    three times as long as plain assignments do. Here a value is filled while it is still of a class that allows it, and
    becomes frozen in one step, before anybody else has seen it.

    It is called without arguments. Assign every field, as nothing has a default here and nothing is checked, and then
    assign ``cls`` to the instance's ``__class__``: from then on it is like any other.
    """
    open_to_all = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__, "__init__": object.__init__}
    # No slots of its own, so both have the same layout, and Python lets one become the other.
    return type(cls)(f"Unfrozen{cls.__name__}", (cls,), {"__slots__": (), "__module__": __name__, **open_to_all})


_FILLING: Final = """\
def make(__set, __fill, __cls, __open, __absent{factories}):
    def __init__(self, {arguments}):
{defaults}
        if type(self) is __cls:
            __set(self, "__class__", __open)
{assignments}
            self.__class__ = __cls
        else:
            __fill(self, locals(), {names})
        {after}
    return __init__
"""
_DEFAULT: Final = """\
        if {0} is __absent:
            {0} = __new_{0}()
"""


def _filling(cls: type, slow: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """Return an ``__init__`` that does what ``slow`` does, the standard library's for a frozen class, in less time.

    That of a class whose fields it is not given itself is left as it is.
    """
    names = [each.name for each in fields]
    code = slow.__code__
    positional = code.co_varnames[1 : code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if not names or {*positional, *keywords} != {*names}:
        return slow
    factories = {each.name: each.default_factory for each in fields if each.default_factory is not dataclasses.MISSING}
    defaults = dict(zip(reversed(positional), reversed(slow.__defaults__ or ()), strict=False))
    defaults.update(slow.__kwdefaults__ or {})
    absent = next((defaults[name] for name in factories), None)  # the standard library's own sign
    source = _FILLING.format(
        factories="".join(f", __new_{name}" for name in factories),
        arguments=", ".join([*positional, *(["*"] if keywords else []), *keywords]),
        defaults="".join(map(_DEFAULT.format, factories)),
        assignments="".join(f"            self.{name} = {name}\n" for name in names),
        names=names,
        after="self.__post_init__()" if hasattr(cls, "__post_init__") else "",
    )
    scope: dict[str, Any] = {}
    exec(compile(source, f"<init of {cls.__qualname__}>", "exec"), slow.__globals__, scope)
    init = scope["make"](object.__setattr__, _fill, cls, unfrozen(cls), absent, *factories.values())
    for said in ("__defaults__", "__kwdefaults__", "__annotations__", "__qualname__", "__name__", "__module__"):
        setattr(init, said, getattr(slow, said))
    return init


def _fill(value: object, given: dict[str, Any], names: list[str]) -> None:
    """Fill an instance of a class that derives from the frozen one, and may be of another layout."""
    for name in names:
        object.__setattr__(value, name, given[name])


def _late(plain: type, *, eq: bool, frozen: bool, kw_only: bool, order: bool, repr: bool) -> type:
    own = {name: value for name, value in vars(plain).items() if name not in _OF_NO_SLOTS}
    own["__qualname__"] = plain.__qualname__
    fields = [name for name, hint in plain.__annotations__.items() if not _is_class_var(hint)]
    inherited = {slot for base in plain.__mro__[1:] for slot in _slots(base)}
    body = {name: value for name, value in own.items() if name not in fields}
    body["__slots__"] = tuple(name for name in fields if name not in inherited)
    late = [*_MADE, *(["__repr__"] if repr else ()), *(["__eq__"] if eq else ()), *(_COMPARISONS if order else ())]
    # A class that has an __eq__ of its own and no __hash__ has None for one, by Python's rule: nobody has chosen that.
    if eq and ("__hash__" not in body or (body["__hash__"] is None and "__eq__" in body)):
        if frozen:
            body.pop("__hash__", None)
            late.append("__hash__")
        else:
            body["__hash__"] = None  # what may change cannot be found again by a hash
    options = {"eq": eq, "frozen": frozen, "kw_only": kw_only, "order": order, "repr": repr}
    marks = [_Late(name, own, options) for name in late if name not in body]
    body.update((mark.name, mark) for mark in marks)
    if frozen:
        body.setdefault("__getstate__", _state)
        body.setdefault("__setstate__", _set_state)
    cls = type(plain)(plain.__name__, plain.__bases__, body)
    if frozen:
        _freeze(cls)
    for mark in marks:
        mark.cls = cls
    return cls


def _is_class_var(hint: object) -> bool:
    if isinstance(hint, str):
        return hint.startswith("ClassVar")
    return hint is ClassVar or get_origin(hint) is ClassVar


def _slots(base: type) -> tuple[str, ...]:
    slots = vars(base).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _freeze(cls: Any) -> None:
    """Do what ``frozen=True`` does, in functions that need not be compiled for each class."""

    def set_attribute(self: Any, name: str, value: object) -> None:
        if type(self) is cls or _has_field(cls, name):
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def delete_attribute(self: Any, name: str) -> None:
        if type(self) is cls or _has_field(cls, name):
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    cls.__setattr__ = set_attribute
    cls.__delattr__ = delete_attribute


def _has_field(cls: Any, name: str) -> bool:
    return any(each.name == name for each in dataclasses.fields(cls))


# For copies and pickles of frozen ones: the usual way would assign.


def _state(self: Any) -> list[object]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


if not TYPE_CHECKING:

    def dataclass(
        *,
        slots: bool,
        eq: bool = True,
        frozen: bool = False,
        kw_only: bool = False,
        order: bool = False,
        repr: bool = True,
    ) -> Callable[[type], type]:
        """Make a dataclass of what it decorates: as `dataclasses.dataclass` with ``slots=True``, but later.

        What is wrong with its fields is told when they are first looked at. It knows no `dataclasses.InitVar`.

        Raises:
            TypeError: ``slots`` is False; take the standard library's.
        """
        if not slots:
            raise TypeError("a late dataclass has slots: give slots=True, or take dataclasses.dataclass")
        return lambda cls: _late(cls, eq=eq, frozen=frozen, kw_only=kw_only, order=order, repr=repr)
