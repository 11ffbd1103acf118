"""A handle in the corner of the display that files are dragged from, as from a file manager. Arguments: the files.

Prints what happens to it: `ready X Y` (where to take hold of it), `begin`, `data-get` (the files were asked for), `end`.
"""

import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

WIDTH, HEIGHT = 96, 40


def say(*words):
    print(*words, flush=True)


def main(files):
    uris = [GLib.filename_to_uri(file, None) for file in files]

    handle = Gtk.EventBox()
    handle.add(Gtk.Label(label="files"))
    handle.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
    handle.drag_source_add_uri_targets()
    handle.connect("drag-begin", lambda *_: say("begin"))
    handle.connect("drag-data-get", lambda _w, _c, data, *_: (data.set_uris(uris), say("data-get")))
    handle.connect("drag-end", lambda *_: say("end"))

    window = Gtk.Window(title="files to drag")
    window.set_default_size(WIDTH, HEIGHT)
    window.add(handle)
    # What is pressed before it is on the screen is lost.
    window.connect("map-event", lambda *_: GLib.timeout_add(200, ready, window) and False)
    window.connect("destroy", Gtk.main_quit)
    window.move(0, 0)
    window.show_all()
    Gtk.main()


def ready(window):
    x, y = window.get_position()
    width, height = window.get_size()
    say("ready", x + width // 2, y + height // 2)
    return False


main(sys.argv[1:])
