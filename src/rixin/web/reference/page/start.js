// No validator, which would be asked on somebody else's server, and no settings from the page's address.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  queryConfigEnabled: false,
  validatorUrl: null,
});
