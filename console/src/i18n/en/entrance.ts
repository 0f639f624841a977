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
