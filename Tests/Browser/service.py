"""The dashboard in a real browser, against a real service.

    python3 service.py --emotiond PATH --screenshots FOLDER

Needs what dashboard.py needs. A video is dropped into the folder, its progress is seen, its result opens; a broken file
shows its reason and is tried again. Waits are for events, with a limit.
"""

import argparse
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium.webdriver.common.by import By

from dashboard import Page, browser

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Service"))
from service import Service  # noqa: E402


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check(page, service, clip):
    driver = page.driver
    link = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", service.log.read_text()).group()
    driver.get(link)
    page.wait(lambda: page.text("#status") == "Ready", "the printed link signs in")

    # Under the name that a copy in progress has, then at once under its own.
    part = service.incoming / "advert.mp4.part"
    part.write_bytes(clip.read_bytes())
    part.rename(service.incoming / "advert.mp4")
    page.wait(lambda: page.row("advert.mp4"), "the dropped file is a job, without a reload")
    page.wait(lambda: 0 < max(driver.execute_script(
        "return [...document.querySelectorAll('.job progress')].map((bar) => bar.hasAttribute('value') ? bar.value : 0)") or [0]) < 1,
        "its progress is seen")
    page.shoot("service-running")
    page.wait(lambda: "done" in page.row_text("advert.mp4"), "it is done")
    page.wait(lambda: re.search(r"\d+ faces?", page.row_text("advert.mp4")), "the list says how many faces")

    (service.incoming / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(2000))
    page.wait(lambda: "failed" in page.row_text("broken.mp4"), "the broken file is a failure")
    reason = page.row_text("broken.mp4")
    assert len(reason.splitlines()) > 2 and "broken.mp4" in reason, reason
    page.shoot("service-failed")
    job = next(job for job in service.get("/api/v1/jobs")["jobs"] if job["path"] == "broken.mp4")
    page.row("broken.mp4").find_element(By.CSS_SELECTOR, '[data-action="retry"]').click()

    def tried_again():
        now = service.get(f"/api/v1/jobs/{job['id']}")
        return now["attempts"] > job["attempts"] and now["state"] == "failed"
    page.wait(tried_again, "the retry ran, and failed as it must")
    page.wait(lambda: "failed" in page.row_text("broken.mp4"), "the page says so")

    page.row("advert.mp4").find_element(By.LINK_TEXT, "Open").click()
    page.wait(lambda: page.all("canvas.chart") and page.all("tbody tr"), "curve and faces are there")
    page.wait(lambda: driver.execute_script("return document.querySelector('video').readyState") >= 1, "the annotated video plays")
    assert {"timeline.csv", "summary.csv", "run.json"} <= {link.text for link in page.all(".files a")}
    page.shoot("service-result")
    severe = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert not severe, severe


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--emotiond", required=True, type=Path)
    parser.add_argument("--screenshots", required=True, type=Path)
    given = parser.parse_args()
    given.screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dash-") as folder:
        clip = Path(folder) / "clip.mp4"
        subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", HERE.parents[1] / "samples" / "ad.mp4", "-t", "20", "-an",
                        "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", clip], check=True)
        service = Service(given.emotiond.resolve(), Path(folder) / "state", settings={"http.address": f"127.0.0.1:{free_port()}"})
        with service:
            driver = browser()
            try:
                check(Page(driver, given.screenshots), service, clip)
            finally:
                driver.quit()
            service.examine()
    print("the service's dashboard works; screenshots in", given.screenshots)


if __name__ == "__main__":
    sys.exit(main())
