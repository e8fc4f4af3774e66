"""Walking over all members of a program, page by page, so that whatever cuts a run off, it goes on."""
