export const entrance = {
  setUp: "Set up Rixin",
  setUpAbout: "Make the first owner. Everybody else is invited by them.",
  logIn: "Log in",
  or: "or",
  with: "Log in with {{provider}}",
  token: "Set-up token",
  tokenWhere: "It was shown when the server started, and is in the file setup-token of its data directory.",
  name: "Name",
  email: "E-mail address",
  password: "Password",
  makeOwner: "Make the owner",
};

export const refusals = {
  declined: "The provider of identities did not log you in. Try again, or log in another way.",
  stray: "This login was begun in another browser, or has been finished already. Begin it again.",
  expired: "The login took too long. Begin it again.",
  untrusted: "What the provider of identities says of you is not in order. Try again; if it stays so, tell an owner of this server.",
  unverified: "The provider of identities has not verified your e-mail address. Verify it there, then log in again.",
  stranger: "You are no user of this server. Ask an owner to invite you.",
  other_way: "There is a user with your e-mail address who logs in another way. Log in that way, or ask an owner.",
  disabled: "Your user is disabled. Ask an owner.",
  unavailable: "The provider of identities cannot be asked right now. Try again later, or log in another way.",
};
