"""Programs that `nas.export.forms` runs in a process of their own, by their files; nothing imports them."""
