"""Images, videos and documents of a request, as whoever may answer it takes them."""

from collections.abc import Callable, Mapping
from typing import Self

from rixin.accounts.account import Account
from rixin.core.cards import ModelCard
from rixin.core.requests import Generate
from rixin.errors import Kind, RixinError
from rixin.media.allowance import Allowance
from rixin.media.describing import Describer
from rixin.media.fetch import Fetcher, FetchTimeouts
from rixin.media.fetch_error import FetchError
from rixin.media.guard import Guard, parse_url
from rixin.media.policy import IMAGES_AS_DATA, TEXT_ONLY, Policy, combined, policy_of_upstream
from rixin.media.reading import DocumentReader
from rixin.media.resolve import Files, Resolver, has_media
from rixin.media.worker import Decoders
from rixin.profiles.profile import Profile
from rixin.routing.catalog import Candidate, Resolution
from rixin.settings import LOCAL, Media


class MediaStep:
    """Resolves the images, videos and documents of requests.

    Args:
        resolver: Does it.
        profile_of: What a provider accepts for a model, by their names.
        files_of: The files of an account; None where none are kept.
    """

    def __init__(
        self,
        resolver: Resolver,
        profile_of: Callable[[str, str], Profile],
        files_of: Callable[[Account], Files] | None = None,
    ) -> None:
        self._resolver = resolver
        self._profile_of = profile_of
        self._files_of = files_of

    @classmethod
    def open(
        cls,
        settings: Media,
        environment: Mapping[str, str],
        documents: Decoders,
        profile_of: Callable[[str, str], Profile],
        files_of: Callable[[Account], Files] | None = None,
    ) -> Self:
        """One with a fetcher and decoders of its own, as the settings want them.

        Args:
            settings: Of images and videos.
            environment: All that decoders see of the environment; it should hold no secrets.
            documents: Decoders of documents, which others use as well and whoever made them ends.
            profile_of: As of the class.
            files_of: As of the class.

        Raises:
            RixinError: `CONFIGURATION` for a private host that is none, or a vision adapter that is not installed.
        """
        guard = Guard(settings.private_hosts, settings.ports)
        fetcher = Fetcher(guard, FetchTimeouts(total=settings.fetch_timeout))
        decoders = Decoders(
            environment, number=settings.decoders, queue=settings.decode_queue, timeout=settings.decode_timeout
        )
        describer = Describer.open(settings, environment) if settings.vision_adapter else None
        reader = DocumentReader(documents, settings)
        return cls(Resolver(fetcher, decoders, reader, settings, describer), profile_of, files_of)

    async def resolve(self, request: Generate, resolution: Resolution, account: Account) -> Generate:
        """A request whose images, videos and documents everybody takes who may answer it.

        Raises:
            RixinError: As `Resolver.resolve`.
        """
        if not has_media(request.messages):
            return request
        policy = combined(self._policy(candidate, request.card) for candidate in resolution.candidates)
        files = None if self._files_of is None else self._files_of(account)
        return await self._resolver.resolve(request, policy, files)

    async def fetch_image(self, url: str) -> bytes:
        """What an upstream has put at a URL, which is no more trusted than a client's.

        Raises:
            RixinError: `UPSTREAM_INVALID` where it is not to be had.
        """
        try:
            allowance = Allowance(self._resolver.settings.max_bytes)
            return bytes(await self._resolver.fetcher.fetch(parse_url(url, "url"), allowance))
        except (FetchError, RixinError) as error:
            detail = error.detail if isinstance(error, RixinError) else str(error)
            raise RixinError(
                Kind.UPSTREAM_INVALID, "The upstream's image could not be fetched.", detail=detail
            ) from None

    async def aclose(self) -> None:
        """Ends the decoders."""
        await self._resolver.fetcher.aclose()
        await self._resolver.decoders.aclose()
        if self._resolver.describer is not None:
            await self._resolver.describer.aclose()

    def _policy(self, candidate: Candidate, card: ModelCard) -> Policy:
        if candidate.provider == LOCAL:
            return IMAGES_AS_DATA if "image" in card.input_modalities else TEXT_ONLY
        return policy_of_upstream(self._profile_of(candidate.engine, candidate.model), card.input_modalities)
