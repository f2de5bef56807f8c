# A script sent to this process itself, and what can't be sent.
import os
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    script = os.path.join(folder, "script.py")
    with open(script, "w") as file:
        file.write("print('in the script', __name__ == '__main__', 'folder' in globals())")
    sys.remote_exec(os.getpid(), script)
    print("after")
    for arguments in [(os.getpid(), script + "x"), (0, None), (0, 12), (os.getpid(), "a\0b")]:
        try:
            sys.remote_exec(*arguments)
        except (OSError, TypeError, ValueError) as error:
            print(type(error).__name__)
print(sys.is_remote_debug_enabled())
