"""What other domains may ask of the ledger."""

from preceptor.money.service.accounts import balance, ensure_account, gather, place, wait_for_part
from preceptor.money.service.client_statements import ClientLine, ClientStatement, project_statement, wallet_statement
from preceptor.money.service.funding import (
    ProjectFunds,
    fund_project,
    funds_of_projects,
    open_project_accounts,
    project_funds,
    project_spent,
    take_back_escrow,
    top_up,
    wallet_balance,
    wallets_of,
)
from preceptor.money.service.guarantee import Owed, pay_owed
from preceptor.money.service.payouts import create_payout_batch, send_batch, settle_batch, settle_payout
from preceptor.money.service.posting import post
from preceptor.money.service.proof import LedgerProof, prove
from preceptor.money.service.statements import StatementLine, statement_of

__all__ = [
    "ClientLine",
    "ClientStatement",
    "LedgerProof",
    "Owed",
    "ProjectFunds",
    "StatementLine",
    "balance",
    "create_payout_batch",
    "ensure_account",
    "fund_project",
    "funds_of_projects",
    "gather",
    "open_project_accounts",
    "pay_owed",
    "place",
    "post",
    "project_funds",
    "project_spent",
    "project_statement",
    "prove",
    "send_batch",
    "settle_batch",
    "settle_payout",
    "statement_of",
    "take_back_escrow",
    "top_up",
    "wait_for_part",
    "wallet_balance",
    "wallet_statement",
    "wallets_of",
]
