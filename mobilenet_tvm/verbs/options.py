"""A verb that takes a request, as users call it: with the request's options as its arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import cleandoc, signature
from typing import ParamSpec, TypeVar

from mobilenet_tvm.base.document import Document

P = ParamSpec("P")
Request = TypeVar("Request", bound=Document)
Result = TypeVar("Result")


def options_of(request: Callable[P, Request]) -> Callable[[Callable[[Request], Result]], Callable[P, Result]]:
    """Make of a function that takes a request one that takes its options.

    :param request: the request's type; its ``:ivar`` lines become the options' documentation.
    """

    def decorate(verb: Callable[[Request], Result]) -> Callable[P, Result]:
        @wraps(verb)
        def called(*args: P.args, **kwargs: P.kwargs) -> Result:
            return verb(request(*args, **kwargs))

        text, returns, result = cleandoc(verb.__doc__ or "").partition(":returns:")
        called.__doc__ = "\n".join([text, *_documented(request), returns + result])
        arguments = signature(request).replace(return_annotation=signature(verb).return_annotation)
        called.__signature__ = arguments  # type: ignore[attr-defined]
        return called

    return decorate


def _documented(request: object) -> list[str]:
    """What a request and those that it inherits from say of their options."""
    kinds = [kind for kind in getattr(request, "__mro__", ()) if issubclass(kind, Document) and kind is not Document]
    options = [cleandoc(kind.__doc__ or "").partition("\n\n")[2] for kind in kinds]
    return [text.replace(":ivar ", ":param ") for text in options if text]
