"""The starting configuration that ``hotfolder init`` writes: every key, with one line.

It loads without a fault once the folder and the password file it names exist. Long, because
it is one file, as the operator reads it.
"""

from __future__ import annotations

STARTING_CONFIGURATION = """\
# hotfolder: configuration. Everything is explained in docs/configure.md.
# Try it with `hotfolder check`. Keys that begin with # show their default.
#
# HOTFOLDER_SECTION__KEY in the environment overrides a key of the sections
# archivesspace, journal, store, retrieve, verify, audit, feedback, feed, log, metrics,
# service, vocabularies and governance.

[archivesspace]
# The backend (stock port 8089), not the staff or public interface.
url = "http://localhost:8089"
# An account for hotfolder alone.
username = "hotfolder"
# A file with the password and nothing else. Under systemd the credential
# archivesspace-password (LoadCredential) comes first, and this line may go.
password_file = "/etc/hotfolder/archivesspace-password"
# Take baseurl, username and password from ~/.archivessnake.yml (true) or this path.
# archivessnake = false
# For accounts without the permission import_records: one record at a time, slower.
# least_privilege = false
# A rights statement on every document ("always"), or only where it differs from its
# series ("exceptions", about a third faster).
# rights_statements = "always"
# The file_uri of a document; {identity} is put in.
# resolver = "hotfolder:{identity}"
# Documents in one import, at most.
# unit_size = 200
# Series delivered side by side.
# importers = 4
# Seconds to connect, between two bytes of an answer, and for a whole answer.
# connect_timeout = 10
# read_timeout = 120
# total_timeout = 900
# Check the server's certificate.
# verify_tls = true
# A file with certificate authorities to trust besides the system's.
# ca_file = ""

[archivesspace.slots]
# Which user_defined slot of a digital object carries what; "" leaves it out.
# document_type = "string_1"
# channel = "string_2"
# retention_class = "string_3"
# retain_until = "date_1"
# hold = "boolean_1"

[archivesspace.fields]
# Fields that ArchivesSpace does not get, and fields that it gets as pseudonyms
# (docs/governance.md). The key is the credential pseudonym-key, else in key_file.
# withhold = []
# pseudonyms = []
# key_file = ""

[archivesspace.requests]
# Answer the requests that archivists make there (docs/returns.md): how often to look,
# how far each look goes back behind the last, which return profile answers, and which
# others a request may name.
# enabled = false
# poll = 60
# overlap = 900
# to = ""
# allowed = []

[archivesspace.changes]
# What happens to archived documents is brought into their records: how many in a second
# (0: no bound), and the types of the events that tell of it ("": none).
# rate = 10
# hold = "legal_hold_applied"
# release = "legal_hold_released"
# destruction = "destruction"
# retention = "policy assignment"

[journal]
# SQLite; on a local disk, never on a network share.
path = "/var/lib/hotfolder/journal.db"

[store]
# The OCFL storage root: the bytes of all documents.
path = "/var/lib/hotfolder/store"
# Further storage roots, on other disks: every spool is written to all of them.
# copies = []
# Of encrypted spools (docs/encryption.md): the file of the master key, unless it is the
# credential store-master-key; and those before it, while `hotfolder keys rotate` is
# not done.
# master_key = ""
# old_master_keys = []

[retrieve]
# Nothing is given out of the archive without --reason.
# reason_required = false
# Tell ArchivesSpace of each document that is given back.
# archivesspace_events = false

[roles]
# Who may do what: user names, and @groups of the system (docs/configure.md). Empty:
# anybody who may run the command.
# find = []
# retrieve = []
# pseudonym = []
# hold = []
# release = []
# propose = []
# approve = []
# execute = []

# Lists of one business unit, in the place of the general ones.
# [roles.units.RETAIL]
# find = []
# retrieve = []
# pseudonym = []
# hold = []
# release = []
# propose = []
# approve = []
# execute = []

[verify]
# `hotfolder verify` reads at most so many MB, and objects, a second; 0 is no bound.
# rate = 0
# files = 0
# Tell ArchivesSpace of each finished round.
# archivesspace_events = false

[audit]
# The key that signs the audit chain once a day (docs/audit.md). `hotfolder audit
# make-key` makes one. Under systemd the credential audit-signing-key comes first.
# signing_key = ""
# Directories that get a copy of each signed head: another machine's, or write-once.
# heads = []
# The hour of the day (UTC) in which it is signed.
# hour = 0

[feedback]
# Look for what archivists decide: holds, disposals, dates (docs/feed.md).
# enabled = false
# Seconds between looks, and how far each goes back behind the last.
# poll = 60
# overlap = 900
# Seconds between two looks at every record; 0: never. Finds what was deleted or hidden.
# sweep = 86400
# Types of events that place a hold, release it, and decide on a disposal. An
# administrator adds those that the list event_event_type does not have.
# hold_events = ["legal_hold_applied"]
# release_events = ["legal_hold_released"]
# decision_events = ["appraisal"]

[feed]
# A folder for those downstream: facts as numbered files (docs/feed.md).
# path = ""
# jsonl, csv, both.
# formats = "both"
# What is told of a document besides its identity.
# fields = ["source", "business_key", "document_type", "customer_id"]
# Kinds of facts that are told; empty: all.
# kinds = []
# Seconds between two files, and facts in one file, at most.
# every = 60
# limit = 1000

[feed.callback]
# Post each file to this address as well.
# url = ""
# With a secret; without a name it is a token. Under systemd the credentials
# feed-callback and feed-signing-key come before these files.
# username = ""
# secret_file = ""
# signing_key_file = ""
# connect_timeout = 10
# read_timeout = 60
# total_timeout = 120
# verify_tls = true
# ca_file = ""

[log]
# auto is JSON unless standard error is a terminal; or json, console.
# format = "auto"
# debug, info, warning, error.
# level = "info"

[metrics]
# Prometheus on 127.0.0.1; 0 turns it off.
# port = 9188

[service]
# Seconds for the step in hand when told to stop.
# stop_timeout = 60

[vocabularies]
# The values that a field may take; an empty list leaves it free.
channel = ["print", "email", "web", "sms", "archive"]
# Whose law applies.
# jurisdiction = []
# How confidential it is.
# sensitivity = []
# The language, as the producer writes it.
# language = []

[governance]
# Vocabularies and rules that all business units share (docs/governance.md): its lists
# stand in the place of [vocabularies].
# file = ""

# A class of the retention schedule.
# trigger: issue_date, event (no event, no clock), permanent (then without period)
# period: P7Y, P18M, P90D, from the cutoff: day, month-end, year-end
# action: keep, review, destroy
[retention.FIN-7Y]
title = "Financial communications, seven years"
trigger = "issue_date"
period = "P7Y"
# The law or policy behind it.
mandate = ""
action = "review"
# With trigger = "event": its name, such as "contract-end", and what it happens to:
# policy, account, customer, case, document (empty: any of them).
# event = ""
# of = []
# From the trigger to the start of the clock, as a period.
# offset = ""
# cutoff = "day"
# Only if an edit of it may let archived documents go earlier.
# shortens = false

# A business unit and the repo_code of its ArchivesSpace repository, which must exist.
[units.RETAIL]
name = "Retail banking"
repository = "RETAIL"

# A record series: a resource in ArchivesSpace, made if it is not there.
[series.STATEMENTS]
title = "Account statements"
# Which documents belong to it; a document type belongs to one series.
document_types = ["statement"]
# The class of documents that do not name one themselves.
retention_class = "FIN-7Y"
# The fields that tell one document from another. Same key and new bytes: a new version.
# key = ["customer_id", "account_number", "document_type", "issue_date"]
# The fields that must have a value.
# required = ["document_type", "issue_date"]
# The period of one archival object in the series: day, month, quarter, year.
# cycle = "month"

# A hot folder.
[folders.statements]
# Absolute. It must exist and belong to the same file system as its sub-folders
# _working, _failed and _receipts, which hotfolder makes.
path = "/srv/exstream/statements"
business_unit = "RETAIL"
# What is dropped here: documents, or packages of templates (docs/templates.md).
# kind = "documents"
# Store each document under a key of its own (docs/encryption.md).
# encrypt_documents = false
# Take files in sub-folders too.
# recursive = false
# On a network share: look every `poll` seconds instead of waiting for events.
# network = false
# poll = 5
# Seconds between full looks at a local folder; they find what events have missed.
# rescan = 60
# Where metadata comes from: auto (all of them), json, xml, csv, none.
# sidecar = "auto"
# A file without metadata is a fault.
# sidecar_required = true
# Names to take, and names to leave alone.
# include = ["*"]
# ignore = []
# People drop files here: notes and receipts in words. Whom may they ask?
# manual = false
# owner = ""
# The producer's field names to the canonical ones (docs/formats.md); "-" keeps a
# field verbatim.
# field_map = { "KundenNr" = "customer_id" }
# Values for files that do not say.
# defaults = { channel = "print" }

[folders.statements.documents]
# What tells the documents of a spool that holds many (docs/formats.md):
#   none         a spool is one document
#   afp          page groups and tags of AFP
#   cmod, streamserve, csv, xml, json
#                an index file beside the spool
#   bookmarks    bookmarks of a PDF
#   marker       a text on the first page of each document of a PDF
# index = "none"
# How names of index files end: name.afp.ind or name.ind.
# suffix = ".ind"
# Of AFP tags (500 if empty) or of the index file.
# code_page = ""
# What the producer calls offset, length, first_page, last_page, pages, page_range or
# file.
# columns = {}
# csv: a character; streamserve: hexadecimal.
# separator = ""
# line_separator = "0A"
# streamserve: the names, if no first line has them.
# attributes = []
# xml: what a document is called.
# elements = ["document"]
# Of the bookmarks that begin documents.
# level = 1
# A regular expression whose named groups are fields: 'Customer (?P<customer_id>[0-9]+)'
# marker = ""
# Two documents may share bytes or pages.
# allow_overlap = false
# One bad document: reject the drop, or skip it and name it in receipt and error note.
# on_bad_document = "reject"
# A record in ArchivesSpace for each document ("documents"), one for the spool
# ("spool"), or for each document up to a limit ("auto").
# describe = "documents"
# describe_limit = 10000

[folders.statements.completion]
# How the producer shows that a file is finished:
#   trigger   it writes name.pdf.done (or name.done) last
#   rename    it writes under a temporary name and renames
#   manifest  it writes a list of names and sizes last
#   quiet     nothing: unchanged for a time, its end whole, nobody writing
rule = "quiet"
# Seconds without a change, and how many looks must show it.
# quiet = 5
# looks = 2
# The same for formats that cannot show their own end.
# quiet_without_trailer = 60
# trigger_suffix = ".done"
# manifest_suffix = ".manifest"
# Names of files that are still being written.
# temporary = ["*.tmp", "*.part", "*.filepart", "~$*", ".*"]
# Seconds to wait for metadata without its file, or a file without its metadata.
# sidecar_wait = 900
# Ask the kernel whether a writer holds the file (local folders only).
# writer_check = true

# Where documents are given back to (docs/returns.md): a folder that Exstream watches.
# [return.reprint]
# kind = "folder"
# Its exact bytes, made to stand alone, or its whole spool: exact, alone, spool.
# form = "exact"
# path = "/srv/exstream/reprint"
# Names: order, identity, document_type, issue_date, channel, business_unit, series,
# cycle, version; {order} must be among them.
# pattern = "{document_type}-{issue_date}-{order}"
# What is not whole yet ends like this; Exstream must leave it alone.
# temporary_suffix = ".tmp"
# The metadata: none, json, xml (entity, ACL, attr), cmod (generic index).
# sidecar = "json"
# sidecar_suffix = ""
# An empty file that comes last; "" for none.
# trigger_suffix = ""

# Or a POST to Communications Server. The secret is the credential return-collector,
# else in secret_file; with username it is a password, without a token.
# [return.collector]
# kind = "http"
# url = "https://exstream.example:2718/archive"
# username = ""
# secret_file = ""
# connect_timeout = 10
# read_timeout = 60
# total_timeout = 600
# verify_tls = true
# ca_file = ""
# So often it is sent without a clear answer before the order fails.
# attempts = 10

# A folder into which requests for documents are put, and in which they are answered.
# [requests.desk]
# path = "/srv/exstream/requests"
# business_units = ["RETAIL"]
# form = "exact"
# sidecar = "json"
# Documents in one answer, at most.
# limit = 1000
# network = false
# poll = 5
# rescan = 60
# owner = ""
# As in folders: how a request shows that it is finished.
# [requests.desk.completion]
# rule = "quiet"
# quiet = 5
# looks = 2
# quiet_without_trailer = 60
# trigger_suffix = ".done"
# manifest_suffix = ".manifest"
# temporary = ["*.tmp", "*.part", "*.filepart", "~$*", ".*"]
# sidecar_wait = 900
# writer_check = true

# A template package, at most: files, MB unpacked, times its own size, parts of a name.
# [folders.statements.templates]
# members = 10000
# unpacked = 2000
# ratio = 200
# depth = 16

# How decisions about templates are told to ArchivesSpace, and who has an agent there.
# [templates]
# approval_event = "agreement_signed"
# publication_event = "publication"
# agents = { "Jana Ito" = "/agents/people/7" }

# A folder into which CSV files of events that start clocks are put (docs/retention.md).
# [events.contracts]
# path = "/srv/exstream/events"
# network = false
# poll = 5
# rescan = 60
# owner = ""
# As in folders: how a file shows that it is finished.
# [events.contracts.completion]
# rule = "quiet"
# quiet = 5
# looks = 2
# quiet_without_trailer = 60
# trigger_suffix = ".done"
# manifest_suffix = ".manifest"
# temporary = ["*.tmp", "*.part", "*.filepart", "~$*", ".*"]
# sidecar_wait = 900
# writer_check = true

# How documents are destroyed when their retention has ended (docs/disposal.md).
# [disposal]
# Type of the event by which ArchivesSpace is asked to decide; "" for none.
# event = "appraisal"
# Documents on one list: other writers wait while they are decided.
# most = 5000
# Where certificates lie; "" for a folder beside the journal.
# certificates = ""

# An old archive that is moved in (docs/migrate.md). kind: folder (files with sidecars),
# cmod (generic indexes), csv (a list of files), sip (InfoArchive packages).
# [migrations.mobius]
# kind = "folder"
# The export; it is never written. A folder, or the file of a list.
# path = "/mnt/export/mobius"
# A folder for hotfolder alone, where copies are taken in.
# inbox = "/var/lib/hotfolder/migrations/mobius"
# business_unit = "RETAIL"
# What the old archive is called in records.
# system = ""
# field_map = { "CustNo" = "customer_id", "DocId" = "legacy_id" }
# defaults = { channel = "archive" }
# Its values to ours, a table for each field.
# values = { channel = { "PAPER" = "print" } }
# A value that no list has: reject the document, or let the default count.
# on_unknown = "reject"
# folder: a file that nothing describes is refused.
# sidecar_required = true
# Names that are no part of the archive.
# ignore = ["metadata.csv", "Thumbs.db", ".*"]
# csv, sip: the column or element that names the file, and the one with the id there.
# file_field = ""
# id_field = ""
# How fast, and in which hours of the day (local time).
# files_per_second = 0
# megabytes_per_second = 0
# hours = ["20:00-06:00"]
# As in folders: what tells the documents of a file that holds many.
# [migrations.mobius.documents]
# index = "none"
# suffix = ".ind"
# code_page = ""
# columns = {}
# separator = ""
# line_separator = "0A"
# attributes = []
# elements = ["document"]
# level = 1
# marker = ""
# allow_overlap = false
# on_bad_document = "reject"
# describe = "documents"
# describe_limit = 10000

# What a class of the schedule says from a day on; what is left out stays. applies: new,
# or all, which reaches back to documents before that day.
# [[retention.FIN-7Y.versions]]
# valid_from = 2027-01-01
# business_unit = "RETAIL"
# jurisdiction = ""
# applies = "new"
# shortens = false
# trigger = "event"
# event = "contract-end"
# of = ["policy"]
# offset = ""
# cutoff = "year-end"
# period = "P10Y"
# action = "destroy"
"""
