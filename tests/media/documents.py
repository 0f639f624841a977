"""Documents, made for the tests."""

from io import BytesIO

import docx


def pdf(*pages: str) -> bytes:
    """A PDF with a line of ASCII on each page; an empty one has none."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, words in enumerate(pages):
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        place = f"/Contents {5 + 2 * number} 0 R /MediaBox [0 0 600 800]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {place} {resources} >>")
        drawn = f"BT /F1 24 Tf 50 700 Td ({words}) Tj ET" if words else ""
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    body, places = b"%PDF-1.4\n", list[int]()
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode("ascii")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
    )
    return body + f"{end}startxref\n{len(body)}\n%%EOF\n".encode("ascii")


def word(*paragraphs: str) -> bytes:
    """A DOCX with paragraphs."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()
