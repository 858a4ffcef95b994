"""Findings in words: of a page in a line, of a document in a sentence."""

from __future__ import annotations

from hotfolder.comparing.findings import ARCHIVED, RERENDERED, Findings, Outcome, PageFinding


def describe_page(finding: PageFinding) -> str:
    """What differs on the page, in one line."""
    parts = []
    if finding.only_in:
        parts.append(f"the page is only in the {finding.only_in} document")
    pixels = finding.picture.pixels
    if pixels:
        regions = len(finding.picture.regions)
        parts.append(f"{counted(pixels, 'pixel')} in {counted(regions, 'region')} differ")
    if finding.text.count:
        parts.append(counted(finding.text.count, "change") + " of text")
    parts.extend(difference.what for difference in finding.differences)
    return " · ".join(parts)


def describe(findings: Findings) -> str:
    """The outcome in a sentence."""
    if findings.outcome is Outcome.IDENTICAL:
        return "Identical: both files have the same bytes."
    if findings.outcome is Outcome.EQUAL:
        tolerated = findings.pages_tolerated
        return "Equal in content: the bytes differ, nothing that is compared does." + (
            f" The pictures of {counted(tolerated, 'page')} differ by no more than is tolerated."
            if tolerated
            else ""
        )
    parts = []
    if findings.pages_different:
        most = max(count or 0 for count in findings.pages)
        parts.append(f"{findings.pages_different:,} of {counted(most, 'page')}")
    if findings.pages[0] != findings.pages[1]:
        before, after = findings.pages
        parts.append(f"the number of pages ({ARCHIVED} {before}, {RERENDERED} {after})")
    return "Different" + (": " + ", ".join(parts) if parts else "") + "."


def counted(count: int, what: str) -> str:
    """``1 page``, ``2 pages``."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
