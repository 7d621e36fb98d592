"""The stack of what outlives every deployment: key, tables, bucket, secrets, the role that Genesys knows, and where
alarms go. It holds all state; the other stacks can be deleted and made anew."""

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.catalog.rights import Secret
from infra.settings import Settings
from infra.tables import CONTACTS, IDENTIFIERS, LEDGER, STATE, TABLES, Table, physical_name

_SECRET_VARIABLES: Mapping[Secret, str] = {
    "Genesys client": "GENESYS_SECRET_ARN",
    "CRM client": "CRM_SECRET_ARN",
    "webhook keys": "WEBHOOK_SECRET_ARN",
}
FILES_KEPT_DAYS = 7
"""A run that has died is resumed within days, and a report is read or copied."""


class Foundation(cdk.Stack):
    """`cir-<env>-foundation`."""

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        super().__init__(
            scope,
            "Foundation",
            stack_name=f"cir-{settings.name}-foundation",
            env=cdk.Environment(region=settings.region),
            termination_protection=settings.keep_data,
            description="cir: key, tables, bucket, secrets, the role that Genesys assumes, alarm address",
        )
        self._settings = settings
        keep = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE  # but not what a first deployment that failed has made
        self._removal = keep if settings.keep_data else cdk.RemovalPolicy.DESTROY
        self.key = self._key()
        self._tables = {table.name: self._table(table) for table in TABLES}
        self.identifiers, self.contacts, self.ledger, self.state = map(
            self.table, (IDENTIFIERS, CONTACTS, LEDGER, STATE)
        )
        self.files = self._files()
        self._secrets: dict[Secret, secretsmanager.Secret] = {"Genesys client": self._genesys_secret()}
        self.cache_hash_key = self._cache_hash_key()
        if settings.crm:
            self._secrets |= {"CRM client": self._crm_secret(), "webhook keys": self._webhook_keys()}
        self.genesys_role = self._genesys_role()
        self.alarms = self._alarms()

    def table(self, table: Table) -> dynamodb.ITable:
        """The deployed one."""
        return self._tables[table.name]

    @property
    def table_arns(self) -> list[str]:
        """Of the tables that both planes meet in."""
        return [table.table_arn for table in (self.identifiers, self.contacts, self.ledger)]

    def secret(self, name: Secret) -> secretsmanager.ISecret:
        """The deployed one. Raises KeyError for one of the CRM where there is none."""
        return self._secrets[name]

    @property
    def variables(self) -> dict[str, str]:
        """What tells the functions where to find it: name of the variable → value."""
        secrets = {_SECRET_VARIABLES[name]: secret.secret_arn for name, secret in self._secrets.items()}
        return {
            "IDENTIFIERS_TABLE": self.identifiers.table_name,
            "CONTACTS_TABLE": self.contacts.table_name,
            "LEDGER_TABLE": self.ledger.table_name,
            "STATE_TABLE": self.state.table_name,
            "DATA_BUCKET": self.files_name,
            # Resolved by CloudFormation, so that the value is in no template.
            "CACHE_HASH_KEY": self.cache_hash_key.secret_value.unsafe_unwrap(),
            **secrets,
        }

    def _key(self) -> kms.Key:
        name = self._settings.name
        key = kms.Key(
            self,
            "Key",
            alias=f"cir-{name}",
            description=f"cir {name}: tables, secrets, cache, logs and alarms",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )
        log_groups = [
            self.format_arn(
                service="logs", resource="log-group", resource_name=path, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
            )
            for path in (f"/aws/lambda/cir-{name}-*", f"/cir/{name}/*")
        ]
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisEnvironment",
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=["*"],  # in a key's policy: this key
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return key

    def _table(self, table: Table) -> dynamodb.TableV2:
        """With a name of its own, so that CloudFormation refuses a change that would replace it."""
        return dynamodb.TableV2(
            self,
            table.name.capitalize(),
            table_name=physical_name(self._settings.name, table),
            partition_key=_key_attribute(table.partition_key),
            sort_key=_key_attribute(table.sort_key) if table.sort_key else None,
            billing=dynamodb.Billing.on_demand(),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if table.stream else None,
            time_to_live_attribute=table.time_to_live,
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self.key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._settings.keep_data,
            removal_policy=self._removal,
        )

    @property
    def files_name(self) -> str:
        """A name of its own, so that CloudFormation refuses a change that would replace the bucket."""
        return f"cir-{self._settings.name}-files-{self.account}"

    def _files(self) -> s3.Bucket:
        """Exports, batches and reports of the sync plane, which hold personal data for as long as a run needs them."""
        bucket = s3.Bucket(
            self,
            "Files",
            bucket_name=self.files_name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Forget",
                    expiration=cdk.Duration.days(FILES_KEPT_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=self._removal,
        )
        acknowledge(
            bucket,
            "AwsSolutions-S1",
            "Who reads and writes objects is in CloudTrail's data events, where an account has them switched on; a log "
            "bucket would be a second place that knows file names.",
        )
        cdk.CfnOutput(self, "FilesBucket", value=bucket.bucket_name)
        return bucket

    def _genesys_secret(self) -> secretsmanager.Secret:
        return self._oauth_client(
            "Genesys",
            "OAuth client of the sync plane",
            "A rotation function would need the permission to edit OAuth clients, with which it could give itself any "
            "other, and Genesys replaces a client's secret at once and chooses it itself, so that a rotation that dies "
            "half-way loses the only one that works. docs/deploy.md rotates by a second client, without an outage.",
        )

    def _oauth_client(self, of: str, description: str, not_rotated: str) -> secretsmanager.Secret:
        """Filled by hand after the first deployment; see docs/deploy.md for how, and for how it is rotated."""
        secret = secretsmanager.Secret(
            self,
            f"{of}Client",
            description=f'{description}: {{"client_id": "...", "client_secret": "..."}}',
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"client_id": "not set yet"}), generate_string_key="client_secret"
            ),
            encryption_key=self.key,
            removal_policy=self._removal,
        )
        acknowledge(secret, "AwsSolutions-SMG4", not_rotated)
        cdk.CfnOutput(self, f"{of}SecretArn", value=secret.secret_arn)
        return secret

    def _cache_hash_key(self) -> secretsmanager.Secret:
        """256 bits as 64 hexadecimal digits, which is what remains of the alphabet.

        CloudFormation puts it into the encrypted environment of the two functions that know it: in their network there
        is no way to Secrets Manager. Whoever may read the function's configuration and use the key can see it. It
        makes a copy of the cache useless, no more; a new one only empties the cache.
        """
        secret = secretsmanager.Secret(
            self,
            "CacheHashKey",
            description="Key of the hash in cache keys, in hexadecimal",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64,
                exclude_uppercase=True,
                exclude_punctuation=True,
                exclude_characters="ghijklmnopqrstuvwxyz",
                include_space=False,
                require_each_included_type=False,
            ),
            encryption_key=self.key,
            removal_policy=self._removal,
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "Nobody outside this account uses it, and it opens nothing. A new value empties the cache at once, so it "
            "is replaced on purpose (docs/runbook.md) and not by the calendar.",
        )
        return secret

    def _crm_secret(self) -> secretsmanager.Secret:
        return self._oauth_client(
            "Crm",
            "OAuth client at the CRM",
            "The CRM issues it, and its administrator replaces it there and here; docs/deploy.md says how.",
        )

    def _webhook_keys(self) -> secretsmanager.Secret:
        """Nobody is let in before it is filled."""
        secret = secretsmanager.Secret(
            self,
            "WebhookKeys",
            description="Keys with which the CRM calls the webhook, as docs/webhooks.md describes",
            secret_string_value=cdk.SecretValue.unsafe_plain_text("{}"),
            encryption_key=self.key,
            removal_policy=self._removal,
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "Both sides must change at once: two keys are valid at a time, and docs/webhooks.md says how to rotate.",
        )
        cdk.CfnOutput(self, "WebhookKeysArn", value=secret.secret_arn)
        return secret

    def _genesys_role(self) -> iam.Role:
        """May do nothing yet: each function that Genesys calls adds itself."""
        role = iam.Role(
            self,
            "GenesysRole",
            role_name=f"cir-{self._settings.name}-genesys",
            description="Assumed by Genesys Cloud for its Data Actions",
            assumed_by=iam.AccountPrincipal(self._settings.genesys_principal),
            external_ids=[self._settings.genesys_organization_id],
        )
        cdk.CfnOutput(self, "GenesysRoleArn", value=role.role_arn)
        return role

    def _alarms(self) -> sns.Topic:
        topic = sns.Topic(
            self,
            "Alarms",
            topic_name=f"cir-{self._settings.name}-alarms",
            master_key=self.key,
            enforce_ssl=True,
        )
        sns.Subscription(
            self,
            "AlarmAddress",
            topic=topic,
            protocol=sns.SubscriptionProtocol.EMAIL,
            endpoint=self._settings.alarm_email,
        )
        # A policy of its own, as for TLS above, takes the place of the default one that lets alarms publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return topic

    @property
    def alarm_action(self) -> cloudwatch_actions.SnsAction:
        """What an alarm does."""
        return cloudwatch_actions.SnsAction(self.alarms)


def _key_attribute(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
