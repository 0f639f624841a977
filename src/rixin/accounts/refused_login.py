"""Why somebody whom a provider of identities has sent back does not come in."""

from enum import StrEnum

from rixin.errors import Kind, RixinError


class Refusal(StrEnum):
    """In one word, for a page that says it in the language of whoever reads it."""

    DECLINED = "declined"
    """The provider did not log them in, or they did not want to."""
    STRAY = "stray"
    """They were not sent from here, or not in this browser, or come a second time."""
    EXPIRED = "expired"
    """They took too long."""
    UNTRUSTED = "untrusted"
    """What the provider says of them is not in order."""
    UNVERIFIED = "unverified"
    """The provider has not verified their e-mail address."""
    STRANGER = "stranger"
    """They are no user here, and may not become one."""
    OTHER_WAY = "other_way"
    """Their e-mail address is a user's who logs in another way."""
    DISABLED = "disabled"
    UNAVAILABLE = "unavailable"
    """The provider cannot be asked."""

    @classmethod
    def of(cls, error: RixinError) -> "Refusal":
        """Why an error of a login was raised."""
        return error.refusal if isinstance(error, RefusedLoginError) else cls.UNAVAILABLE


class RefusedLoginError(RixinError):
    """A login that is refused. Where nothing else is told, it is `UNAUTHENTICATED`."""

    def __init__(self, refusal: Refusal, message: str, kind: Kind = Kind.UNAUTHENTICATED) -> None:
        super().__init__(kind, message)
        self.refusal = refusal
