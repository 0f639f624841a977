"""The description of the API, for people and for generators of clients: `/openapi.json` and `/docs`.

| file | noun |
| --- | --- |
| `operations` | what is told of each route |
| `components` | the shapes of bodies, as JSON schemas |
| `document` | the OpenAPI document of the wire routes, and its union with the admin API's |
| `handlers` | what serves the document and the page that shows it |

All but `handlers` is loaded when somebody asks.
"""
