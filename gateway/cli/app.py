"""Every command, by name. Importing this imports no more than the commands' own signatures."""

from __future__ import annotations

import typer

from gateway.cli import (
    authorizations,
    claims,
    codes,
    exchange,
    files,
    mappings,
    messages,
    previews,
    rehearsals,
    rosters,
    sandbox,
    sites,
    worklist,
)

app = typer.Typer(
    name="cleanclaim",
    help="EHR encounters in, clean PHP and IOP claims out, answers and money back.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 well, 1 something was found or failed, 2 unreadable or misuse. Every command takes --json.",
)

sites.add_to(app)
messages.add_to(app)
previews.add_to(app)
claims.add_to(app)
rosters.add_to(app)
authorizations.add_to(app)
worklist.add_to(app)
exchange.add_to(app)
files.add_to(app)
mappings.add_to(app)
codes.add_to(app)
sandbox.add_to(app)
rehearsals.add_to(app)
