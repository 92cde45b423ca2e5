"""Settings of reading the configuration again while the gateway runs."""

from pydantic import Field

from pointsman.config.section import Seconds, Section


class ReloadSettings(Section):
    """Whether a changed configuration file is read again by itself. `POST /admin/reload` and SIGHUP do so at any time."""

    watch: bool = Field(
        default=True,
        description="Look whether the configuration file has changed, and take it over if nothing is wrong with it.",
    )
    poll_s: Seconds = Field(
        default=2.0,
        description="How often to look. A change holds once two looks in a row have seen the same.",
    )
