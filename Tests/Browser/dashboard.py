"""The dashboard in a real browser, against the demo service.

    python3 dashboard.py --demo PATH --video RESULT --picture RESULT --screenshots FOLDER

Needs Debian's chromium and chromium-driver, and selenium. RESULT is a published result folder: of a video, of a picture.
What is checked: a link signs in; a file is uploaded, its progress is seen and its result opens; a failure shows its
reason and a retry works; a hostile name stays text; streams move; the page fits a phone. Waits are for events, with a limit.
"""

import argparse
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

LIMIT = 60
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


class Page:
    def __init__(self, driver, screenshots):
        self.driver, self.screenshots = driver, screenshots

    def wait(self, condition, what):
        return WebDriverWait(self.driver, LIMIT, poll_frequency=0.05).until(lambda _: condition(), message=what)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.wait(lambda: next(iter(self.all(selector)), None), selector)

    def text(self, selector):
        return self.driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def row(self, name):
        return self.driver.execute_script(
            "return [...document.querySelectorAll('.job')].find((row) => row.querySelector('.path').textContent === arguments[0])", name)

    def row_text(self, name):
        row = self.row(name)
        return self.driver.execute_script("return arguments[0].innerText", row) if row else ""

    def resize(self, size, dark):
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2 if size == "phone" else 1, "mobile": size == "phone"})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def shoot(self, name, whole=True):
        for size in SIZES:
            for dark in (False, True):
                self.resize(size, dark)
                self.wait(lambda: self.driver.execute_async_script(
                    "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0](true)))"), "two frames")
                file = self.screenshots / f"{name}-{size}-{'dark' if dark else 'light'}.png"
                picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": whole, "format": "png"})
                file.write_bytes(base64.b64decode(picture["data"]))
        self.resize("desktop", False)


def browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = "/usr/bin/chromium"
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def check(page, link, upload, hold):
    driver, origin = page.driver, link.split("/?")[0]

    driver.get(origin + "/")
    assert "Sign in" in driver.page_source, "no form for a stranger"
    page.shoot("signin")
    page.one("#token").send_keys("not-the-token-at-all" + Keys.ENTER)
    page.wait(lambda: driver.current_url.endswith("/session"), "a wrong token leaves the form")
    page.one("#token").send_keys(link.split("token=")[1] + Keys.ENTER)
    page.wait(lambda: page.text("#status") == "Ready", "the form signs in")
    driver.delete_all_cookies()
    driver.get(link)
    page.wait(lambda: page.text("#status") == "Ready", "the status is ready")
    assert driver.current_url == origin + "/", "the token stays in the address"
    assert not driver.execute_script("return document.cookie"), "scripts can read the cookie"

    # A name that is a script stays a name.
    hostile = "pictures/portrait <script>alert(1)</script>.jpg"
    page.wait(lambda: page.row(hostile), "the hostile name is a row")

    # A file is uploaded and becomes a job. What its bar shows is kept from here on, so that no look comes too late.
    page.one("#pick").send_keys(str(upload))
    page.wait(lambda: page.row(upload.name), "the upload is a job")
    driver.execute_script("""
        window.seen = [];
        document.addEventListener("job-progress", ({detail}) => {
            const row = [...document.querySelectorAll(".job")].find((row) => row.querySelector(".path").textContent === arguments[0]);
            if (Number(row?.dataset.job) === detail.id) window.seen.push(row.querySelector("progress").value);
        });""", upload.name)
    page.wait(lambda: min(driver.execute_script("return [...document.querySelectorAll('.job progress')].map((bar) => bar.value)") or [0]) > 0.25, "jobs are under way")
    page.shoot("overview")

    # A failure shows its reason; retry works.
    broken = "campaign/spring/broken-upload.mp4"
    assert "no moov box was found" in page.row_text(broken), page.row_text(broken)
    page.one('[data-state="failed"]').click()
    page.wait(lambda: len(page.all(".job")) == 1, "the filter leaves the failure")
    page.shoot("failed")
    page.one('[data-action="retry"]').click()
    page.wait(lambda: not page.all(".job"), "the retried job is no failure any more")
    page.one('[data-state="all"]').click()
    page.wait(lambda: any(word in page.row_text(broken) for word in ("queued", "running", "done")), "it is queued again")
    hold.unlink()
    page.wait(lambda: "done" in page.row_text(upload.name), "the upload is done")
    seen = driver.execute_script("return window.seen")
    assert len(seen) > 10 and seen == sorted(seen) and seen[-1] > 0.9, f"its bar showed {seen}"
    page.wait(lambda: "done" in page.row_text(broken), "the retried job is done")

    # The result of a video: curve, numbers by keyboard, faces, files.
    page.wait(lambda: "done" in page.row_text("campaign/spring/ad-30s.mp4"), "a video is done")
    page.row("campaign/spring/ad-30s.mp4").find_element(By.LINK_TEXT, "Open").click()
    chart = page.one("canvas.chart")
    page.wait(lambda: page.all("tbody tr"), "faces are listed")
    page.wait(lambda: driver.execute_script("return document.querySelector('video').readyState") >= 1, "the video has its length")
    chart.send_keys(*[Keys.ARROW_RIGHT] * 85)
    page.wait(lambda: "%" in page.text(".chart-foot"), "the cursor has numbers")
    page.wait(lambda: driver.execute_script("return document.querySelector('video').currentTime") > 1, "the video follows the cursor")
    assert {"timeline.csv", "summary.csv", "run.json"} <= {link.text for link in page.all(".files a")}
    page.shoot("video")

    driver.get(origin + "/#/jobs/3")
    page.wait(lambda: page.all(".bars"), "a picture has bars")
    page.wait(lambda: driver.execute_script("return document.querySelector('.media img').naturalWidth") > 0, "the picture is there")
    page.shoot("picture")

    driver.get(origin + "/#/")
    # Streams: the live one's picture and numbers, the other's reason.
    page.wait(lambda: driver.execute_script("return document.querySelector('.stream img').naturalWidth") > 0, "the frame is there")
    assert "connection refused" in page.text('[data-stream="hall"]')

    # The narrowest phone: nothing wider than the screen.
    for address in ("/#/", "/#/jobs/1", "/#/jobs/6"):
        driver.get(origin + address)
        page.wait(lambda: page.all(".job") or page.all(".result-head"), address)
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})
        width = driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= 360, f"{address} is {width} px wide on a phone of 360"

    # Keyboard: the first stop is the way to the content.
    driver.get(origin + "/#/")
    driver.refresh()
    page.wait(lambda: page.text("#status") == "Ready", "ready again")
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Skip to content", driver.switch_to.active_element.text

    faults = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE" and "401" not in entry["message"]]
    assert not faults, json.dumps(faults, indent=1)


def main():
    parser = argparse.ArgumentParser()
    for name in ("demo", "video", "picture", "screenshots"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    given = parser.parse_args()
    given.screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        upload = Path(folder) / "uploaded here.mp4"
        upload.write_bytes(os.urandom(3_000_000))
        incoming = Path(folder) / "incoming"
        incoming.mkdir()
        # While it is there the demo's jobs stop on the way.
        hold = incoming / ".hold"
        hold.touch()
        demo = subprocess.Popen(
            [given.demo, "--port", "0", "--folder", incoming, "--video", given.video, "--picture", given.picture, "--tick-ms", "60"],
            stdout=subprocess.PIPE, text=True)
        try:
            link = demo.stdout.readline().split()[1]
            driver = browser()
            try:
                check(Page(driver, given.screenshots), link, upload, hold)
            finally:
                driver.quit()
            assert [file.name for file in incoming.iterdir()] == [upload.name]
            with urllib.request.urlopen(link.split("/?")[0] + "/healthz") as answer:
                assert answer.status == 200
        finally:
            demo.send_signal(signal.SIGTERM)
            status = demo.wait(10)
    assert status == 0, f"the demo ended with {status}"
    print("the dashboard works; screenshots in", given.screenshots)


if __name__ == "__main__":
    sys.exit(main())
