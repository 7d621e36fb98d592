"""What holds state, and who may come near it."""

from string import ascii_lowercase, digits

import pytest

from infra.regions import GENESYS_REGIONS
from infra.tables import TABLES, Table, physical_name
from tests.support.assembly import Assembly


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_table_is_as_defined_encrypted_and_recoverable(assembly: Assembly, table: Table) -> None:
    from aws_cdk.assertions import Match

    keys = [{"AttributeName": table.partition_key, "KeyType": "HASH"}]
    if table.sort_key:
        keys.append({"AttributeName": table.sort_key, "KeyType": "RANGE"})
    absent = Match.absent()
    ttl = {"Enabled": True, "AttributeName": table.time_to_live} if table.time_to_live else absent
    assembly.templates["foundation"].has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "TableName": physical_name(assembly.settings.name, table),
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": keys,
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"} if table.stream else absent,
            "TimeToLiveSpecification": ttl,
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
            "Replicas": [
                Match.object_like(
                    {
                        "Region": assembly.settings.region,
                        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                        "DeletionProtectionEnabled": assembly.settings.keep_data,
                        "SSESpecification": {"KMSMasterKeyId": {"Fn::GetAtt": [Match.any_value(), "Arn"]}},
                    }
                )
            ],
        },
    )


def test_there_are_no_other_tables(assembly: Assembly) -> None:
    assembly.templates["foundation"].resource_count_is("AWS::DynamoDB::GlobalTable", len(TABLES))


def test_state_outlives_its_stack_where_it_is_to_be_kept(assembly: Assembly) -> None:
    """Nothing that holds state can be replaced by accident: its deletion is refused, and so is a second of its name."""
    kept = assembly.settings.keep_data
    stateful = assembly.of_type(
        "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"
    )
    assert len(stateful) == (10 if assembly.settings.crm else 8)
    for resource in stateful:
        assert resource.stack == "foundation"
        assert resource.body["DeletionPolicy"] == ("RetainExceptOnCreate" if kept else "Delete"), resource.logical_id
        assert resource.body["UpdateReplacePolicy"] == ("Retain" if kept else "Delete"), resource.logical_id
    assert assembly.protected == ({"foundation"} if kept else set())


def test_other_stacks_hold_on_to_what_they_use(typical: Assembly) -> None:
    """CloudFormation refuses to replace what another stack imports: a table is not only kept, it stays in use."""
    exported = {
        typical.text(output["Value"], "foundation")
        for output in typical.documents["foundation"]["Outputs"].values()
        if "Export" in output
    }
    assert {physical_name("typical", table) for table in TABLES} <= exported


def test_the_key_serves_only_this_account_and_this_environments_logs(assembly: Assembly) -> None:
    (key,) = assembly.of_type("AWS::KMS::Key")
    assert key.properties["EnableKeyRotation"] is True
    logs, alarms = (
        next(each for each in key.properties["KeyPolicy"]["Statement"] if each.get("Sid") == sid)
        for sid in ("LogGroupsOfThisEnvironment", "AlarmsOfThisAccount")
    )
    patterns = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    name = assembly.settings.name
    prefix = f"arn:aws:logs:{assembly.settings.region}:ACCOUNT:log-group:"
    assert [assembly.text(each, "foundation") for each in patterns] == [
        f"{prefix}/aws/lambda/cir-{name}-*",
        f"{prefix}/cir/{name}/*",
    ]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    principals = [each["Principal"] for each in key.properties["KeyPolicy"]["Statement"]]
    assert "*" not in principals
    assert {"AWS": "*"} not in principals


def test_the_cache_hash_key_can_only_be_256_bits_in_hexadecimal(assembly: Assembly) -> None:
    (secret,) = (
        each for each in assembly.of_type("AWS::SecretsManager::Secret") if each.logical_id.startswith("CacheHashKey")
    )
    generated = secret.properties["GenerateSecretString"]
    assert generated["ExcludeUppercase"] is generated["ExcludePunctuation"] is True
    assert not generated["IncludeSpace"]
    alphabet = set(ascii_lowercase + digits) - set(generated["ExcludeCharacters"])
    assert alphabet == set("0123456789abcdef")
    assert generated["PasswordLength"] * 4 == 256


def test_secrets_are_under_the_key(assembly: Assembly) -> None:
    for secret in assembly.of_type("AWS::SecretsManager::Secret"):
        assert assembly.text(secret.properties["KmsKeyId"], "foundation") == "Key"


def test_only_genesys_for_this_organization_may_assume_its_role(assembly: Assembly) -> None:
    from aws_cdk.assertions import Match

    settings = assembly.settings
    assembly.templates["foundation"].has_resource_properties(
        "AWS::IAM::Role",
        {
            "RoleName": f"cir-{settings.name}-genesys",
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Action": "sts:AssumeRole",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{GENESYS_REGIONS[settings.region].account}:root"},
                        "Condition": {"StringEquals": {"sts:ExternalId": settings.genesys_organization_id}},
                    }
                ],
                "Version": "2012-10-17",
            },
            "ManagedPolicyArns": Match.absent(),
            "Policies": Match.absent(),
        },
    )


def test_genesys_may_invoke_the_aliases_of_its_data_actions_and_nothing_else(assembly: Assembly) -> None:
    (role,) = assembly.of_type("AWS::IAM::Role", stack="foundation")
    assert assembly.grants(role.logical_id, "foundation") == {
        ("lambda:InvokeFunction", "ResolverLive"),
        ("lambda:InvokeFunction", "LinkLive"),
        ("lambda:InvokeFunction", "CreateLive"),
    }
    for alias in assembly.of_type("AWS::Lambda::Alias"):
        assert alias.properties["Name"] == "live"


def test_alarms_reach_the_address_over_tls(assembly: Assembly) -> None:
    template = assembly.templates["foundation"]
    template.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": assembly.settings.alarm_email}
    )
    (policy,) = assembly.of_type("AWS::SNS::TopicPolicy")
    refusal, permission = policy.properties["PolicyDocument"]["Statement"]
    assert (refusal["Effect"], refusal["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert permission["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert permission["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
