"""The stages of `cir import --via csv`, with their progress."""

from cir.csv_import import Adopting, contact_ids, import_files
from cir.import_run import Run, load_all
from cir.importing import Imported
from cir.sync import Sync
from cli.progress import Steps


def import_by_csv(run: Run, sync: Sync, *, workers: int, progress: Steps) -> None:
    """Let Genesys Cloud import the files of a run, then build the index from an export."""
    source_id = sync.organization.source_ids[sync.mapping.source]
    manifest = run.manifest
    total = manifest.rows if manifest else 0
    importing = progress.begin("importing files", total=total)
    import_files(run, sync.client, sync.mapping, source_id=source_id, on_imported=importing.advance)
    progress.begin("exporting ids")
    ids = contact_ids(run, sync.client, sync.mapping, source_id=source_id)
    indexing = progress.begin("building the index", total=total)

    def row_done(_: Imported) -> None:
        indexing.advance()

    load_all(run, Adopting(sync, ids), workers=workers, on_row=row_done)
