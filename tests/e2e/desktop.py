"""As much of a desktop as the window talks to: a tray, a place for notifications, a window manager's close button.

It answers on the session bus it is started in, and prints a line of JSON for each thing that it is asked:
`{"ready": true}`, `{"icon": [the lines of its menu]}`, `{"icon_gone": true}`, `{"notified": [title, text]}`. Its input is lines, too:
`close NUMBER` presses the close button of that X window, `choose LINE` a line of the icon's menu.

Sources: the specifications of StatusNotifierItem and of desktop notifications (freedesktop.org), libdbusmenu's
`com.canonical.dbusmenu`, ICCCM 4.2.8.1 (WM_DELETE_WINDOW).
"""

import ctypes
import json
import os
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

INTERFACES = """
<node>
  <interface name="org.kde.StatusNotifierWatcher">
    <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
    <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
    <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
    <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
    <property name="ProtocolVersion" type="i" access="read"/>
    <signal name="StatusNotifierItemRegistered"><arg type="s"/></signal>
    <signal name="StatusNotifierItemUnregistered"><arg type="s"/></signal>
    <signal name="StatusNotifierHostRegistered"/>
  </interface>
  <interface name="org.freedesktop.Notifications">
    <method name="Notify">
      <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
      <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/>
      <arg type="a{sv}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/>
    </method>
    <method name="CloseNotification"><arg type="u" direction="in"/></method>
    <method name="GetCapabilities"><arg type="as" direction="out"/></method>
    <method name="GetServerInformation">
      <arg type="s" direction="out"/><arg type="s" direction="out"/>
      <arg type="s" direction="out"/><arg type="s" direction="out"/>
    </method>
    <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
    <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
  </interface>
</node>
"""
WATCHER, NOTIFICATIONS = Gio.DBusNodeInfo.new_for_xml(INTERFACES).interfaces
PATHS = {WATCHER: "/StatusNotifierWatcher", NOTIFICATIONS: "/org/freedesktop/Notifications"}
MENU = "com.canonical.dbusmenu"


def say(**what):
    print(json.dumps(what), flush=True)


class Desktop:
    def __init__(self, bus):
        self.bus = bus
        self.icon = None  # (who shows it, where its menu is, {line: id})
        self.is_shown = False
        self.shown = 0
        for interface, path in PATHS.items():
            bus.register_object(path, interface, self.called, self.read, None)

    def called(self, _bus, sender, _path, _interface, method, arguments, call):
        arguments = arguments.unpack()
        if method == "RegisterStatusNotifierItem":
            call.return_value(None)
            self.icon_appears(sender, arguments[0])
        elif method == "Notify":
            self.shown += 1
            call.return_value(GLib.Variant("(u)", (self.shown,)))
            say(notified=[arguments[3], arguments[4]])
        elif method == "GetCapabilities":
            call.return_value(GLib.Variant("(as)", (["body", "actions"],)))
        elif method == "GetServerInformation":
            call.return_value(GLib.Variant("(ssss)", ("a desktop for tests", "tunesmith", "1", "1.2")))
        else:
            call.return_value(None)

    def read(self, _bus, _sender, _path, _interface, name):
        return {
            "RegisteredStatusNotifierItems": GLib.Variant("as", [self.icon[0]] if self.icon else []),
            "IsStatusNotifierHostRegistered": GLib.Variant("b", True),
            "ProtocolVersion": GLib.Variant("i", 0),
        }[name]

    def icon_appears(self, owner, path):
        """Asks for its menu, as a tray does before it draws it."""
        menu = self.ask(owner, path, "org.freedesktop.DBus.Properties", "Get", "(ss)", "org.kde.StatusNotifierItem", "Menu")[0]
        _, (_, _, children) = self.ask(owner, menu, MENU, "GetLayout", "(iias)", 0, -1, [])
        lines = {properties["label"].replace("_", ""): number for number, properties, _ in children}
        self.icon = (owner, menu, lines)
        self.bus.signal_subscribe(
            "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", None, owner, 0, lambda *_: self.show(False)
        )
        # An icon that is taken away while its program stays says so by its status.
        self.bus.signal_subscribe(owner, "org.kde.StatusNotifierItem", "NewStatus", path, None, 0, self.status)
        self.show(True)

    def status(self, *signal):
        self.show(signal[5].unpack()[0] == "Active")

    def show(self, is_shown):
        if is_shown and not self.is_shown:
            say(icon=list(self.icon[2]))
        if self.is_shown and not is_shown:
            say(icon_gone=True)
        self.is_shown = is_shown

    def choose(self, line):
        owner, menu, lines = self.icon
        self.ask(owner, menu, MENU, "Event", "(isvu)", lines[line], "clicked", GLib.Variant("i", 0), 0)

    def ask(self, owner, path, interface, method, types, *arguments):
        arguments = GLib.Variant(types, arguments)
        return self.bus.call_sync(owner, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE, 10_000, None).unpack()


class ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),  # XEvent is a union of 24 longs
    ]


def close_window(number):
    """What a window manager sends when a window's close button is pressed."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.restype = ctypes.c_ulong
    x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    x.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x.XOpenDisplay(os.environ["DISPLAY"].encode())
    atom = lambda name: x.XInternAtom(display, name, 0)  # noqa: E731
    message = ClientMessage(type=33, window=number, message_type=atom(b"WM_PROTOCOLS"), format=32)
    message.data[0] = atom(b"WM_DELETE_WINDOW")
    x.XSendEvent(display, number, 0, 0, ctypes.byref(message))
    x.XCloseDisplay(display)


def main():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    desktop = Desktop(bus)
    for interface in PATHS:
        Gio.bus_own_name_on_connection(bus, interface.name, Gio.BusNameOwnerFlags.NONE, None, None)
    loop = GLib.MainLoop()

    def obey(source, _condition):
        line = source.readline()
        if not line:
            loop.quit()
            return False
        word, _, rest = line.strip().partition(" ")
        if word == "close":
            close_window(int(rest))
        else:
            desktop.choose(rest)
        return True

    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, obey)
    say(ready=True)
    loop.run()


main()
