"""What the tasks of generate_music do: plan what is missing, run stages where their models are."""

from collections.abc import Mapping, Sequence
from typing import Any

from mirpipe.orchestration.crash_isolation import run_batch
from mirpipe.orchestration.ingest_and_embed_tasks import gathered, into_ledger
from mirpipe.orchestration.stage_subprocess import Counts, invoke, require_done
from mirpipe.settings import settings


def pending() -> bool:
    """Whether a target lacks features, a caption, its vector or a clip, as the settings are."""
    return bool(plan_analyse([]) or plan_caption([]) or plan_embed_captions() or plan_generate({}))


def plan_analyse(targets: Sequence[str]) -> list[list[int]]:
    """Ids of the targets that lack features, of those named where any is, in lists for tasks."""
    from mirpipe.stages import analyse

    if not settings().captioner:
        return []
    missing = _of(targets, analyse.plan("target"))
    return gathered([[one] for one in missing], most=2 * settings().slots)


def plan_caption(targets: Sequence[str]) -> list[dict[str, Any]]:
    """Arguments of the task that captions what is measured and has no caption."""
    from mirpipe import registry
    from mirpipe.models.runnable_plugins import of_all_wanted
    from mirpipe.stages import caption

    wanted = list(filter(None, [settings().captioner]))
    usable = of_all_wanted(registry.CAPTIONERS, wanted, stage="caption")
    tasks = [(name, _of(targets, caption.plan(name))) for name in usable]
    return [{"captioner": name, "track_ids": ids} for name, ids in tasks if ids]


def plan_embed_captions() -> list[str]:
    """The encoder whose text tower has captions to embed, if one has and can."""
    from mirpipe.stages import embed, evaluate

    evaluate.register()
    return [name for name in [embed.plan_captions()] if name]


def plan_generate(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Arguments of the tasks that make the missing clips: a generator and targets each.

    `params` are those of the DAG: targets, modes, seeds, limit.
    """
    from mirpipe import registry
    from mirpipe.models.runnable_plugins import of_all_wanted
    from mirpipe.stages import generate

    wanted = settings().generators if settings().captioner else []
    usable = of_all_wanted(registry.GENERATORS, wanted, stage="generate")
    generate.want_only(wanted)
    tasks = []
    for name in usable:
        asked = generate.Asked(
            target_ids=_ids(params.get("targets")) or None,
            modes=params.get("modes") or None,
            seeds=params.get("seeds"),
            limit=params.get("limit"),
        )
        targets = list(dict.fromkeys(clip.target_id for clip in generate.plan(name, asked)))
        size = len(targets) if asked.limit else settings().batch_tracks
        for start in range(0, len(targets), size or 1):
            tasks.append({"generator": name, "track_ids": targets[start : start + size]})
    return tasks


def caption(captioner: str, track_ids: Sequence[int]) -> Counts:
    """Captions these targets, in a process of the interpreter that has the model."""
    from mirpipe import registry

    revision = registry.revision(registry.CAPTIONERS.spec(captioner))
    return run_batch(
        ["caption"],
        track_ids,
        give_up=into_ledger("caption", revision),
        python=registry.CAPTIONERS.interpreter(captioner),
    )


def embed_captions(encoder: str) -> Counts:
    """Embeds captions' words, in a process of the interpreter that has the encoder's libraries."""
    from mirpipe import registry

    arguments = ["embed", "--captions"]
    outcome = invoke(arguments, python=registry.ENCODERS.interpreter(encoder))
    require_done(arguments, outcome)
    return outcome.counts


def generate(generator: str, track_ids: Sequence[int], params: Mapping[str, Any]) -> Counts:
    """Makes the missing clips of these targets, in a process of the interpreter of the model."""
    from mirpipe import registry

    revision = registry.revision(registry.GENERATORS.spec(generator))
    options = [word for mode in params.get("modes") or () for word in ("--mode", mode)]
    for name in ("seeds", "limit"):
        options += [f"--{name}", str(params[name])] if params.get(name) else []
    return run_batch(
        ["generate", "--no-captions", "--generator", generator, *options],
        track_ids,
        give_up=into_ledger("generate", revision),
        python=registry.GENERATORS.interpreter(generator),
    )


def _of(targets: Sequence[str], missing: Sequence[int]) -> list[int]:
    named = set(_ids(targets))
    return [one for one in missing if not named or one in named]


def _ids(targets: Sequence[str] | None) -> list[int]:
    """Ids of the targets that are named. Raises ConfigurationError where a name fits not one."""
    from mirpipe.db.queries import vector_search

    return [vector_search.one_target(name) for name in targets or ()]
