import pytest

from core.errors import ForgeError
from core.limits import DEFAULT
from jobs.forge import GoneError, UnfitError


@pytest.fixture
def fetch(world):
    """Upload, then download as the collector does."""
    repo = world.github.repo("acme/web")
    run = world.github.run(repo)

    def fetch(content=b"x" * 100, **how):
        made = world.github.upload(run, "junit", content, **how)
        if how.get("expired"):
            made["_gone"] = True
        artifact = world.forge.artifacts(world.ref(repo), run["id"])[-1]
        with world.forge.download(world.ref(repo), artifact) as file:
            return file.read()

    return fetch


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_the_bytes_arrive_whole(fetch, size):
    assert fetch(b"x" * size) == b"x" * size


def test_a_server_without_digests_is_believed(fetch):
    assert fetch(b"x", digest=False) == b"x"


def test_content_that_does_not_fit_its_digest_is_refused(fetch):
    with pytest.raises(UnfitError, match="digest"):
        fetch(lies=True)


def test_an_expired_artifact_is_gone(fetch):
    with pytest.raises(GoneError):
        fetch(expired=True)


def test_a_redirect_to_a_foreign_host_is_not_followed(world, fetch):
    world.github.blob_host = "http://169.254.169.254"
    with pytest.raises(UnfitError, match=r"169\.254\.169\.254"):
        fetch()


def test_an_address_that_ran_out_is_asked_for_again(world, fetch):
    world.github.blob_seconds = -1.0
    with pytest.raises(ForgeError):
        fetch()
    assert len(world.github.asked("GET .*/zip")) == 3


def test_an_artifact_beyond_the_limits_is_not_even_asked_for(world):
    repo = world.github.repo("acme/web")
    run = world.github.run(repo)
    made = world.github.upload(run, "junit", b"x")
    made["size_in_bytes"] = DEFAULT.wire_bytes + 1
    artifact = world.forge.artifacts(world.ref(repo), run["id"])[-1]
    with pytest.raises(UnfitError), world.forge.download(world.ref(repo), artifact):
        pass
    assert not world.github.asked("GET .*/zip")
