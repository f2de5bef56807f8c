# What can't be done with threads any more when the program ends.
import threading
import time


class ThreadUser:
    def __init__(self):
        self.me = self
        self.thread = threading.Thread(target=self.spin, daemon=True)
        self.thread.start()

    @staticmethod
    def spin():
        while True:
            time.sleep(0.001)

    def __del__(self):
        for action in (self.thread.join, threading.Thread(target=print).start):
            try:
                action()
            except PythonFinalizationError as error:
                print(error)


ThreadUser()
