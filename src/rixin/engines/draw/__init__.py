"""The engine that draws infographics on this machine, from a prompt's own words and numbers."""
