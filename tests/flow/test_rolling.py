"""Old and new code side by side: the schema is brought up first, while processes of the version before go on."""

from __future__ import annotations

from credsync.store.database import Database
from tests.flow.forms import ca
from tests.flow.world import World, someone


def test_a_process_goes_on_under_a_newer_schema_that_only_adds(here: World) -> None:
    """It takes facts in and writes them; one that is started anew says which program to start."""
    contact, therapist = here.contact(), someone()
    here.advance("1h")
    here.sign_up(therapist, contact)
    newer = Database(here.database_url)
    with newer.write() as connection:
        connection.exec_driver_sql("ALTER TABLE therapists ADD COLUMN added_later TEXT")
        connection.exec_driver_sql("CREATE TABLE made_later (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    here.submit(therapist, ca())
    assert here.until_state(therapist, "in_sync")["complete"]
    again = here.cli("serve", "--only", "api")
    assert again.returncode == 4
    assert "a newer credsync made it. Start that version" in again.stderr
