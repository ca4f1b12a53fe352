#!/usr/bin/env python3
"""Look at a page of `martlet sweep` in headless Chromium: does it show without the network, wide and narrow, in print?

    tools/check-page.py SWEEP.html [--chromium PATH]

Takes a screenshot at the width of a phone and of a desk, light and dark, and prints to PDF, into a folder beside the page; fails
where one is missing or empty, or where the page is wider than the phone. Skips, saying so, where there is no Chromium.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import tempfile


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--chromium")
    arguments = parser.parse_args()
    names = [arguments.chromium] if arguments.chromium else ["chromium", "chromium-browser", "google-chrome"]
    chromium = next((path for path in map(shutil.which, filter(None, names)) if path), None)
    if not chromium:
        print("skipped: there is no Chromium")
        return
    page = pathlib.Path(arguments.page).resolve()
    folder = page.with_suffix(".shots")
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        base = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--hide-scrollbars",
            "--proxy-server=127.0.0.1:9",
        ]

        def run(*options, of=page.as_uri()):
            return subprocess.run([*base, *options, of], check=True, capture_output=True, text=True, timeout=120).stdout

        for name, size in [("phone", "360,2400"), ("desk", "1280,1600")]:
            for scheme in ["light", "dark"]:
                shot = folder / f"{name}-{scheme}.png"
                dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
                run(f"--screenshot={shot}", f"--window-size={size}", *dark)
                if shot.stat().st_size < 5000:
                    raise SystemExit(f"{shot} is empty")
        paper = folder / "page.pdf"
        run(f"--print-to-pdf={paper}")
        if paper.stat().st_size < 5000:
            raise SystemExit(f"{paper} is empty")
        # In a frame as wide as a phone, how wide is the page? (A window has a least width of its own.)
        probe = folder / "probe.html"
        text = page.read_text()
        probe.write_text(
            text.replace("</body>", "<script>document.title = 'width ' + document.documentElement.scrollWidth</script></body>")
        )
        found = run("--dump-dom", "--window-size=500,900", of=probe.as_uri())
        width = int(re.search(r"<title>width (\d+)</title>", found).group(1))
        probe.unlink()
        if width > 500:
            raise SystemExit(f"the page is {width} pixels wide in a window of 500")
    print(f"{folder}: four screenshots, one PDF; {width} pixels wide in a window of 500")


if __name__ == "__main__":
    main()
