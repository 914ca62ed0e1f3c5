"""From a folder of photographs to the sections of params.yaml: what is proposed, what is assumed, what is refused."""
