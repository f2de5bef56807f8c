"""What the training programs share."""
import sys
import time

def train(*tasks, seconds):
    """Calls each task again and again for so long, so that no task's code counts for more than another's."""
    for task in tasks:
        end = time.process_time() + seconds
        while True:
            task()
            if time.process_time() > end:
                break
        print(".", end="", flush=True)
    print(f" {len(tasks)} tasks of {sys.argv[0]}")
