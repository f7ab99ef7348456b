"""Registers the configured plug-ins in the database, so that pending work can be found."""

from mirpipe import registry
from mirpipe.settings import settings


def register_configured_plugins() -> None:
    """Register the plug-ins that the settings name, with their current revisions.

    The database finds pending work by comparing these revisions with the stored results. Plug-ins
    that cannot run are recorded in the failure ledger.
    """
    from mirpipe.models.runnable_plugins import check_configured_plugins
    from mirpipe.stages import analyse, caption, embed, evaluate, generate, score

    embed.configure(settings().encoders)
    score.configure(settings().metrics)
    analyse.register()
    evaluate.register()
    captioners = list(filter(None, [settings().captioner]))
    generators = settings().generators if captioners else []
    for name in check_configured_plugins(registry.CAPTIONERS, captioners, stage="caption").usable:
        caption.plan(name)
    generate.deactivate_other_generators(generators)
    for name in check_configured_plugins(registry.GENERATORS, generators, stage="generate").usable:
        generate.plan(name)
