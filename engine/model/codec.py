"""msgpack encoders and decoders of everything that travels or rests."""

import msgspec

from engine.model.authorization import TokenRecord, TransactionUse
from engine.model.campaigns import CampaignStarted
from engine.model.caps import HeldCap
from engine.model.charging_profiles import ChargingProfile
from engine.model.commands import CommandCancel, CommandRequest, Outcome
from engine.model.envelopes import Batch, BatchReply, Downlinks
from engine.model.facts import JournalEntry, OperatorEntry
from engine.model.messages import LoggedMessage
from engine.model.sites import DriverAsked, HeldSite, SiteSeries
from engine.model.stations import StationRecord
from engine.model.tariff_and_cost import TariffBook

encode = msgspec.msgpack.Encoder().encode

decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_batch_reply = msgspec.msgpack.Decoder(BatchReply).decode
decode_downlinks = msgspec.msgpack.Decoder(Downlinks).decode
decode_command_request = msgspec.msgpack.Decoder(CommandRequest).decode
decode_command_requests = msgspec.msgpack.Decoder(tuple[CommandRequest, ...]).decode
decode_command_cancel = msgspec.msgpack.Decoder(CommandCancel).decode
decode_outcome = msgspec.msgpack.Decoder(Outcome).decode
decode_journal_entry = msgspec.msgpack.Decoder(JournalEntry).decode
decode_operator_entry = msgspec.msgpack.Decoder(OperatorEntry).decode
decode_campaign = msgspec.msgpack.Decoder(CampaignStarted).decode
decode_token_record = msgspec.msgpack.Decoder(TokenRecord).decode
decode_uses = msgspec.msgpack.Decoder(tuple[TransactionUse, ...]).decode
decode_tariff_book = msgspec.msgpack.Decoder(TariffBook).decode
decode_station_record = msgspec.msgpack.Decoder(StationRecord).decode
decode_logged_messages = msgspec.msgpack.Decoder(list[LoggedMessage]).decode
decode_charging_profile = msgspec.msgpack.Decoder(ChargingProfile).decode
decode_held_site = msgspec.msgpack.Decoder(HeldSite).decode
decode_held_cap = msgspec.msgpack.Decoder(HeldCap).decode
decode_site_series = msgspec.msgpack.Decoder(SiteSeries).decode
decode_driver_asked = msgspec.msgpack.Decoder(DriverAsked).decode
