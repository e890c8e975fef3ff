"""Views: what tables, documents and reports show, as plain values. Nothing here draws."""
