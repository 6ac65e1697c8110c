"""How commands speak both languages of the tool."""

from __future__ import annotations

from typing import Any

import click

from sio_lab.text import Lang, Text


def _lang(ctx: click.Context) -> Lang:
    lang: Lang = getattr(ctx.find_object(object), "lang", "en")
    return lang


class Command(click.Command):
    """A command whose help is a ``Text``."""

    def __init__(self, *args: Any, text: Text, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "help": text.en})
        self.text = text

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the help option, described in the language of the context."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = Text("Afficher cette aide.", "Show this help.").get(_lang(ctx))
        return option

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help in the language of the context."""
        self.help = self.text.get(_lang(ctx))
        super().format_help_text(ctx, formatter)


class Group(Command, click.Group):
    """The whole tool: its commands, in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # signature of click
        """Return commands in the order of their declaration."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands in the language of the context."""
        rows = [
            (name, command.text.get(_lang(ctx)).split("\n")[0])
            for name, command in self.commands.items()
            if isinstance(command, Command)
        ]
        with formatter.section(Text("Commandes", "Commands").get(_lang(ctx))):
            formatter.write_dl(rows)


class Option(click.Option):
    """An option whose help is a ``Text``."""

    def __init__(self, *args: Any, text: Text, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "help": text.en})
        self.text = text

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Write the help in the language of the context."""
        self.help = self.text.get(_lang(ctx))
        return super().get_help_record(ctx)


def explain(error: click.UsageError) -> Text:
    """Return what is wrong with a command line, in both languages."""
    if isinstance(error, click.NoSuchOption):
        hint = f" ({', '.join(error.possibilities)} ?)" if error.possibilities else ""
        return Text(f"option inconnue : {error.option_name}{hint}", f"unknown option: {error.option_name}{hint}")
    if isinstance(error, click.exceptions.NoSuchCommand):
        hint = f" ({', '.join(error.possibilities)} ?)" if error.possibilities else ""
        return Text(
            f"commande inconnue : {error.command_name}{hint}", f"unknown command: {error.command_name}{hint}"
        )
    if isinstance(error, click.MissingParameter):
        name = error.param.name.upper() if error.param and error.param.name else "?"
        return Text(f"il manque l'argument {name}", f"argument {name} is missing")
    if isinstance(error, click.BadParameter):
        name = error.param.opts[0] if error.param else "?"
        return Text(f"valeur refusée pour {name} : {error.message}", f"bad value for {name}: {error.message}")
    return Text(f"ligne de commande incomprise : {error.message}", error.message)
