"""How a test script says what it expects and how it ends.

Exit codes: 0 passed, 1 failed, 77 unavailable (something outside Kiwi is missing on this machine; never a pass).
"""
import argparse
import sys
import time
import traceback

UNAVAILABLE = 77


class Unavailable(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_equal(actual, wanted, about):
    if actual != wanted:
        raise AssertionError(f"{about}:\n  wanted {wanted!r}\n  got    {actual!r}")


def eventually(seconds, about, probe):
    """Asks again until `probe` returns something true, and returns that. An error of the probe counts as no."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except Exception as error:  # lost connections and the like; a lasting one shows at the deadline
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"{about}: not within {seconds} s (last: {last!r})")
        time.sleep(0.02)


def run_cases(options, cases):
    """Runs every function of `cases`, each with a line of its own, even after one failed; then fails once."""
    failed = []
    for case in cases:
        begin = time.monotonic()
        try:
            case(options)
            print(f"  ok      {case.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception as error:  # a lost connection is as much a failure as a wrong reply
            failed.append(case.__name__)
            print(f"  FAILED  {case.__name__}: {type(error).__name__}: {error}", flush=True)
    expect(not failed, f"{len(failed)} of {len(cases)} cases failed: {', '.join(failed)}")


def run(main, **defaults):
    """Parses the usual options and runs `main(options)`.

    defaults: duration=(full, quick) in seconds, rounds=(full, quick).
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a shorter run")
    parser.add_argument("--seed", type=int, default=1)
    for name in defaults:
        parser.add_argument(f"--{name}", type=float if name == "duration" else int)
    options = parser.parse_args()
    for name, (full, quick) in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    begin = time.monotonic()
    try:
        main(options)
    except Unavailable as error:
        print(f"unavailable: {error}")
        sys.exit(UNAVAILABLE)
    except AssertionError as error:
        traceback.print_exc(limit=-3)
        print(f"FAILED: {error}")
        sys.exit(1)
    print(f"passed in {time.monotonic() - begin:.1f} s")
