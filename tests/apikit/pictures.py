"""Pictures without a bucket."""


class FakePictures:
    """Links that say what they lead to."""

    def link(self, key: str) -> str:
        return f"https://pictures.example/{key}"
